import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { KeyRound, List, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { CopyButton } from "@/ui/CopyButton";
import { Confirm } from "@/ui/Dialog";
import { IconButton } from "@/ui/Button";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Icon } from "@/ui/Icon";
import { RelativeTime } from "@/ui/RelativeTime";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useNow } from "@/ui/useNow";
import { deliveriesPath } from "../paths";
import { type Connection, type Hook, type HookSecret, hooksQuery } from "../queries";
import { SecretShown } from "./SecretShown";
import { gapLine, life } from "./words";

type Props = { hooks: Hook[]; connections: Connection[]; team: string; refused: string | false };

/** The addresses, with their secrets renewed and themselves deleted from here. */
export function HookList({ hooks, connections, team, refused }: Props) {
  const client = useQueryClient();
  const toast = useToast();
  const [asked, setAsked] = useState<{ hook: Hook; to: "rotate" | "delete" } | null>(null);
  const [shown, setShown] = useState<HookSecret | null>(null);
  const refresh = () => void client.invalidateQueries({ queryKey: hooksQuery(team).queryKey });
  const close = () => setAsked(null);
  const rotate = useTask({
    run: (id: string) => data(api.POST("/api/v1/ci/hooks/{id}/rotate", { params: { path: { id } } })),
    failed: "The secret stays as it is.",
    onDone: (renewed) => {
      close();
      // The secret of a webhook that this server set up is entered at GitHub by the server.
      if (renewed.secret) setShown(renewed);
      else toast({ text: `${renewed.name} gets a new secret at GitHub` });
      refresh();
    },
  });
  const remove = useTask({
    run: (hook: Hook) => done(api.DELETE("/api/v1/ci/hooks/{id}", { params: { path: { id: hook.id } } })),
    failed: "The webhook is still there.",
    onDone: (_, hook) => {
      close();
      toast({ text: `Webhook ${hook.name} is deleted` });
      refresh();
    },
  });
  const hook = asked?.hook;
  return (
    <>
      <Table label="Webhooks" rows={hooks} rowKey={({ id }) => id} keyboard columns={columns({ connections, team, refused, onAsk: (one, to) => setAsked({ hook: one, to }) })} />
      <Confirm open={asked?.to === "rotate"} onClose={close} onConfirm={() => hook && void rotate.start(hook.id)} title={`New secret for ${hook?.name ?? ""}?`} act="Make a new secret" keep="Keep the old one" busy={rotate.busy}>
        {hook?.managed ? "The new secret is entered at GitHub by this server; the old one works for seven more days." : "The old secret works for seven more days, so that there is time to enter the new one at GitHub. The new one is shown once."}
      </Confirm>
      <Confirm open={asked?.to === "delete"} onClose={close} onConfirm={() => hook && void remove.start(hook)} title={`Delete webhook ${hook?.name ?? ""}?`} act="Delete" busy={remove.busy}>
        {hook?.managed && "It is removed at GitHub too. "}
        Whatever posts to its address is refused from now on; pushes are then seen at the next check only. The address cannot be brought back.
      </Confirm>
      <SecretShown hook={shown} onClose={() => setShown(null)} renewed />
    </>
  );
}

type ColumnOptions = { connections: Connection[]; team: string; refused: string | false; onAsk: (hook: Hook, to: "rotate" | "delete") => void };

function columns({ connections, team, refused, onAsk }: ColumnOptions): Column<Hook>[] {
  const names = new Map(connections.map(({ id, name }) => [id, name]));
  const deliveries = (hook: Hook) => ({ to: deliveriesPath(team), search: { hook: hook.id } as never });
  return [
    {
      key: "name",
      head: "Name",
      lead: true,
      width: "18%",
      cell: (hook) => (
        <Link className="title clip" {...deliveries(hook)}>
          {hook.name}
        </Link>
      ),
    },
    { key: "alive", head: "State", cell: (hook) => <Status {...life(hook)} /> },
    { key: "last", head: "Last heard", width: 136, said: "Last heard", cell: (hook) => <Last hook={hook} /> },
    { key: "gap", head: "Gaps", width: 208, said: "Gaps:", cell: (hook) => <span className={hook.gap.error || hook.gap.missing > 0 ? "clip" : "clip muted"} title={gapLine(hook.gap)}>{gapLine(hook.gap)}</span> },
    { key: "by", head: "Set up by", width: 136, said: "Set up by", cell: (hook) => <span className="clip">{hook.managed ? (names.get(hook.connection) ?? "a connection") : "hand"}</span> },
    { key: "secret", head: "Secret", width: 144, said: "Secret", cell: (hook) => <Age hook={hook} /> },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 148,
      end: true,
      cell: (hook) => (
        <span className="line justify-end">
          <CopyButton text={hook.url} what={`Copy the address of ${hook.name}`} />
          <Link className="btn icon quiet small" aria-label={`Deliveries of ${hook.name}`} {...deliveries(hook)}>
            <Icon of={List} />
          </Link>
          <IconButton size="small" icon={KeyRound} label={`New secret for ${hook.name}`} refused={refused} onClick={() => onAsk(hook, "rotate")} />
          <IconButton size="small" icon={Trash2} label={`Delete ${hook.name}`} refused={refused} onClick={() => onAsk(hook, "delete")} />
        </span>
      ),
    },
  ];
}

function Last({ hook }: { hook: Hook }) {
  if (hook.last_delivery_at) return <RelativeTime at={hook.last_delivery_at} />;
  if (hook.last_ping_at) return <span>ping <RelativeTime at={hook.last_ping_at} /></span>;
  return <span className="muted">nothing yet</span>;
}

function Age({ hook }: { hook: Hook }) {
  const now = useNow(true, 60);
  if (hook.previous_until && new Date(hook.previous_until).getTime() > now) return <span>old one ends <RelativeTime at={hook.previous_until} /></span>;
  return <RelativeTime at={hook.rotated_at ?? hook.created_at} />;
}
