import "../assistant.css";
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { ThumbsDown } from "lucide-react";
import { may, useSession } from "@/api/session";
import { Tick } from "@/ui/Field";
import { usePage } from "@/ui/frame/hooks";
import { Icon } from "@/ui/Icon";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { Segmented } from "@/ui/Segmented";
import { flag, oneOf, params } from "@/ui/schema";
import { EmptyState } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { AssistantContext } from "../AssistantContext";
import { askCommand } from "../commands";
import { assistantPath, runPath, runsPath } from "../paths";
import { type Run, runsQuery, shows } from "../queries";
import { statusOf, statusWord, surfaceWord, took, used } from "../words";

const search = params({ show: oneOf([...shows]), all: flag() });

const words: Record<(typeof shows)[number], string> = { failed: "Failed", untouched: "Nothing looked up", flagged: "Flagged", slow: "Slow", dear: "Dear", down: "Did not help" };

/** Every question that was asked, and which of them somebody should look at. */
export function RunsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [state, set] = useUrlState(search);
  const owner = may(useSession(), team, "owner");
  const all = owner && Boolean(state.all);
  const { items, more } = useSuspenseQuery(runsQuery(team, state.show, all)).data;
  const navigate = useNavigate();
  usePage({ title: "Runs", crumbs: [{ label: "Assistant", to: assistantPath(team) }, { label: "Runs" }] });
  return (
    <>
      <AssistantContext team={team} />
      <PageHeader title="Runs" meta={`${items.length}${more ? "+" : ""} shown`} />
      <div className="pane assistant-runs">
        <div className="filters">
          <Segmented
            label="Which runs"
            value={state.show ?? "all"}
            options={[{ value: "all", label: "All" }, ...shows.map((value) => ({ value, label: words[value] }))]}
            onChange={(value) => set({ show: value === "all" ? undefined : value })}
          />
          {owner && (
            <Tick checked={all} onChange={({ target }) => set({ all: target.checked || undefined })}>
              Everybody’s
            </Tick>
          )}
        </div>
        {items.length > 0 && <Table label="Runs" columns={columns(team)} rows={items} rowKey={({ id }) => id} keyboard onOpen={({ id }) => void navigate({ to: runPath(team, id) })} />}
      </div>
      {items.length === 0 && <None team={team} narrowed={state.show !== undefined} />}
    </>
  );
}

function None({ team, narrowed }: { team: string; narrowed: boolean }) {
  const url = useSession().public_url;
  if (narrowed) {
    return (
      <EmptyState small headline="No such run">
        No question of the newest is like that. <Link className="link underline" to={runsPath(team)}>All runs</Link>
      </EmptyState>
    );
  }
  return (
    <EmptyState headline="Nothing has been asked yet" command={askCommand(url, team)} filled={[url, team]} commandLabel="Ask from a terminal">
      Each question stands here with what it looked up, how long that took and what it cost. <Link className="link underline" to={assistantPath(team)}>Ask one here</Link>, or from a terminal:
    </EmptyState>
  );
}

const columns = (team: string): Column<Run>[] => [
  {
    key: "question",
    head: "Question",
    lead: true,
    cell: (run) => (
      <span className="assistant-question">
        <StatusGlyph status={statusOf(run)} label={statusWord(run)} />
        <Link className="link clip" to={runPath(team, run.id)}>
          {run.question || "(nothing)"}
        </Link>
        {run.flagged && <span className="chip warn">flagged</span>}
        {run.feedback < 0 && <Icon of={ThumbsDown} size="s" label="It did not help" />}
      </span>
    ),
  },
  { key: "person", head: "Who", width: 110, cell: (run) => run.person },
  { key: "surface", head: "Where", width: 100, cell: (run) => surfaceWord(run).replace(/^(the|a) /, "") },
  { key: "planner", head: "By", width: 70, cell: (run) => run.planner },
  { key: "calls", head: "Look-ups", width: 80, number: true, said: "look-ups", cell: (run) => run.calls },
  { key: "time", head: "Took", width: 80, number: true, cell: (run) => took(run.milliseconds) },
  { key: "used", head: "Used", width: 190, cell: (run) => <span className="clip">{used(run) || "–"}</span> },
  { key: "at", head: "Asked", width: 110, cell: (run) => <RelativeTime at={run.started_at} /> },
];
