import { useQueryClient } from "@tanstack/react-query";
import { KeyRound, List, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { Copyable } from "@/ui/CopyButton";
import { Confirm } from "@/ui/Dialog";
import { IconButton } from "@/ui/Button";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { type Connection, type Hook, type HookSecret, hooksQuery } from "../queries";
import { SecretShown } from "./SecretShown";

type Props = { hooks: Hook[]; connections: Connection[]; team: string; refused: string | false; onDeliveries: (hook: string) => void };

/** The addresses, with their secrets renewed and themselves deleted from here. */
export function HookList({ hooks, connections, team, refused, onDeliveries }: Props) {
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
      setShown(renewed);
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
      <Table label="Webhooks" rows={hooks} rowKey={({ id }) => id} columns={columns({ connections, refused, onDeliveries, onAsk: (one, to) => setAsked({ hook: one, to }) })} />
      <Confirm open={asked?.to === "rotate"} onClose={close} onConfirm={() => hook && void rotate.start(hook.id)} title={`New secret for ${hook?.name ?? ""}?`} act="Make a new secret" keep="Keep the old one" busy={rotate.busy}>
        The old secret works for seven more days, so that there is time to enter the new one at GitHub. The new one is shown once.
      </Confirm>
      <Confirm open={asked?.to === "delete"} onClose={close} onConfirm={() => hook && void remove.start(hook)} title={`Delete webhook ${hook?.name ?? ""}?`} act="Delete" busy={remove.busy}>
        Whatever posts to its address is refused from now on; pushes are then seen at the next check only. The address cannot be brought back.
      </Confirm>
      <SecretShown hook={shown} onClose={() => setShown(null)} renewed />
    </>
  );
}

type ColumnOptions = { connections: Connection[]; refused: string | false; onDeliveries: (hook: string) => void; onAsk: (hook: Hook, to: "rotate" | "delete") => void };

function columns({ connections, refused, onDeliveries, onAsk }: ColumnOptions): Column<Hook>[] {
  const names = new Map(connections.map(({ id, name }) => [id, name]));
  return [
    { key: "name", head: "Name", lead: true, width: 176, cell: (hook) => <span className="title">{hook.name}</span> },
    { key: "url", head: "Address for GitHub", cell: (hook) => <Copyable text={hook.url} what="Copy the address" /> },
    { key: "connection", head: "Connection", width: 144, cell: (hook) => names.get(hook.connection) ?? <span className="muted">any</span> },
    { key: "last", head: "Last delivery", width: 160, cell: (hook) => <Last hook={hook} /> },
    { key: "secret", head: "Secret", width: 176, cell: (hook) => (hook.previous_until && new Date(hook.previous_until) > new Date() ? <>old one works, ends <RelativeTime at={hook.previous_until} /></> : hook.rotated_at ? <>from <RelativeTime at={hook.rotated_at} /></> : "–") },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 132,
      end: true,
      cell: (hook) => (
        <span className="line justify-end">
          <IconButton size="small" icon={List} label={`Deliveries of ${hook.name}`} onClick={() => onDeliveries(hook.id)} />
          <IconButton size="small" icon={KeyRound} label={`New secret for ${hook.name}`} refused={refused} onClick={() => onAsk(hook, "rotate")} />
          <IconButton size="small" icon={Trash2} label={`Delete ${hook.name}`} refused={refused} onClick={() => onAsk(hook, "delete")} />
        </span>
      ),
    },
  ];
}

function Last({ hook }: { hook: Hook }) {
  if (hook.last_delivery_at) return <Status status="succeeded" word={<RelativeTime at={hook.last_delivery_at} />} />;
  if (hook.last_ping_at) return <Status status="succeeded" word={<>ping <RelativeTime at={hook.last_ping_at} /></>} />;
  return <Status status="pending" word="waits for the first" />;
}
