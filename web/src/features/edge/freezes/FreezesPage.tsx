import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Snowflake, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, done } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { useActions } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { numberOr, params } from "@/ui/schema";
import { EmptyState, Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useNow } from "@/ui/useNow";
import { useUrlState } from "@/ui/useUrlState";
import { EdgeFrame } from "../EdgeFrame";
import { call, change } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { Calendar } from "./Calendar";
import { dayTime, standing } from "./months";
import { NewFreeze } from "./NewFreeze";
import { type Freeze, freezesQuery } from "./queries";

const freezeSearch = params({ months: numberOr(0) });
const day = 24 * 3600 * 1000;

/** When nothing is installed, whatever policies say. */
export function FreezesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const freezes = useSuspenseQuery(freezesQuery(team)).data.items;
  const [{ months }, setSearch] = useUrlState(freezeSearch);
  const [begun, setBegun] = useState<{ from: Date; to: Date }>();
  const [asked, setAsked] = useState<Freeze>();
  const refused = refusal(useSession(), team, "member");
  const now = useNow(true, 60);
  const holding = freezes.find((freeze) => standing(freeze, now).holds);
  const begin = () => setBegun({ from: new Date(), to: new Date(Date.now() + day) });
  useActions([{ id: "edge.freeze.new", label: "Freeze installs", group: "This page", keys: "c", icon: Snowflake, refused, run: begin }]);
  return (
    <EdgeFrame
      team={team}
      title="Freezes"
      meta={holding ? "installs are frozen now" : freezes.length > 0 ? `${plural(freezes.length, "freeze")} to come` : "none to come"}
      actions={
        <Button kind="primary" icon={Snowflake} refused={refused} tip="c" onClick={begin}>
          Freeze
        </Button>
      }
    >
      {holding && (
        <div className="pane pb-0">
          <Notice kind="warn">
            Nothing is installed until {dayTime(holding.to)}: {holding.reason}
            {holding.allow.length > 0 && `. What mends something ${holding.allow.join(" or ")} goes on.`}
          </Notice>
        </div>
      )}
      <Calendar freezes={freezes} now={now} offset={months} onOffset={(next) => setSearch({ months: next || undefined })} onDay={({ from, to }) => !refused && setBegun({ from, to })} />
      {freezes.length === 0 ? (
        <EmptyState small headline="No freezes yet">
          In a freeze no node installs anything, whatever its policy says: for the week before a holiday, or while something else is changed. Press a day above. A policy can have freezes of its own, below schedule.freeze.
        </EmptyState>
      ) : (
        <Table label="Freezes" columns={columns(now, refused, setAsked)} rows={freezes} rowKey={({ id }) => id} />
      )}
      <FromShell command={(url) => (freezes.length === 0 ? change(url, "POST", "freezes", { team, ...nextWeek(now), reason: "peak trade", allow: ["critical"] }) : call(url, "freezes", { team }))} />
      {begun && <NewFreeze team={team} from={begun.from} to={begun.to} onClose={() => setBegun(undefined)} />}
      <Thaw team={team} freeze={asked} now={now} onClose={() => setAsked(undefined)} />
    </EdgeFrame>
  );
}

function nextWeek(now: number): { from: string; to: string } {
  const from = new Date(now + 7 * day).toISOString().slice(0, 10);
  const to = new Date(now + 14 * day).toISOString().slice(0, 10);
  return { from: `${from}T00:00:00Z`, to: `${to}T00:00:00Z` };
}

function Thaw({ team, freeze, now, onClose }: { team: string; freeze: Freeze | undefined; now: number; onClose: () => void }) {
  const client = useQueryClient();
  const remove = useTask({
    run: ({ id }: Freeze) => done(api.DELETE("/api/v1/edge/freezes/{freeze}", { params: { path: { freeze: id } } })),
    failed: "The freeze still holds.",
    onDone: () => {
      void client.invalidateQueries({ queryKey: freezesQuery(team).queryKey });
      onClose();
    },
  });
  return (
    <Confirm open={freeze !== undefined} onClose={onClose} onConfirm={() => freeze && void remove.start(freeze)} busy={remove.busy} title={freeze ? `Delete the freeze for ${freeze.reason}?` : ""} act="Delete">
      {freeze && standing(freeze, now).holds ? "Rollouts go on at once, each within its own hours." : "Rollouts then go on in that time, each within its own hours."} A node without a link keeps the hours it was told last.
    </Confirm>
  );
}

const columns = (now: number, refused: string | false, onDelete: (freeze: Freeze) => void): Column<Freeze>[] => [
  { key: "reason", head: "Why", lead: true, cell: ({ reason }) => <b>{reason}</b> },
  {
    key: "state",
    head: "State",
    width: 120,
    cell: (freeze) => {
      const { holds, word } = standing(freeze, now);
      return <Status status={holds ? "paused" : "pending"} word={word} />;
    },
  },
  { key: "from", head: "From", said: "from", width: 168, sort: (a, b) => Date.parse(a.from) - Date.parse(b.from), cell: ({ from }) => dayTime(from) },
  { key: "to", head: "Until", said: "until", width: 168, sort: (a, b) => Date.parse(a.to) - Date.parse(b.to), cell: ({ to }) => dayTime(to) },
  { key: "allow", head: "Lets through", said: "lets through", width: "18%", cell: ({ allow }) => allow.join(", ") || <span className="muted">nothing</span> },
  {
    key: "by",
    head: "By",
    said: "by",
    width: "16%",
    cell: ({ created_by: by, created_at: at }) => (
      <>
        {by} <span className="muted"><RelativeTime at={at} /></span>
      </>
    ),
  },
  { key: "acts", head: <span className="sr">Acts</span>, width: 64, end: true, cell: (freeze) => <IconButton size="small" icon={Trash2} label={`Delete the freeze for ${freeze.reason}`} refused={refused} onClick={() => onDelete(freeze)} /> },
];
