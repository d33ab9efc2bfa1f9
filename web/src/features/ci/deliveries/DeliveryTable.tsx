import { Link } from "@tanstack/react-router";
import { Chip } from "@/ui/facts";
import { RelativeTime } from "@/ui/RelativeTime";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { deliveriesPath } from "../paths";
import type { Delivery, Hook } from "../queries";
import { Caused } from "./Caused";
import { verdict } from "./verdict";

type Props = { team: string; rows: Delivery[] | undefined; hooks: Hook[]; onOpen: (delivery: string) => void };

/** Deliveries, the newest first. */
export function DeliveryTable({ team, rows, hooks, onOpen }: Props) {
  return <Table label="Deliveries" rows={rows} rowKey={({ id }) => id} keyboard onOpen={({ id }) => onOpen(id)} columns={columns(team, new Map(hooks.map(({ id, name }) => [id, name])), onOpen)} />;
}

function columns(team: string, names: Map<string, string>, onOpen: Props["onOpen"]): Column<Delivery>[] {
  return [
    {
      key: "event",
      head: "Event",
      lead: true,
      width: 232,
      cell: (one) => (
        <span className="line">
          <Link className="title clip" to={deliveriesPath(team)} search={((now: Record<string, unknown>) => ({ ...now, delivery: one.id })) as never} data-keeps-focus>
            {one.event || "unknown"}
            {one.action && <span className="muted"> {one.action}</span>}
          </Link>
          {one.gap && <Chip kind="warn">recovered</Chip>}
        </span>
      ),
    },
    { key: "repository", head: "Repository", width: "18%", cell: (one) => <span className="mono clip" title={one.repository}>{one.repository || "–"}</span> },
    { key: "sender", head: "Sender", width: 112, said: "by", cell: (one) => <span className="clip">{one.sender || "–"}</span> },
    { key: "verdict", head: "Verdict", cell: (one) => <Verdict one={one} /> },
    { key: "caused", head: "Caused", said: "caused", cell: (one) => <Caused one={one} team={team} most={2} onMore={() => onOpen(one.id)} /> },
    { key: "hook", head: "Webhook", width: 144, cell: (one) => <span className="clip">{names.get(one.hook) ?? "–"}</span> },
    { key: "at", head: "Received", width: 104, end: true, cell: (one) => <RelativeTime at={one.received_at} /> },
  ];
}

export function Verdict({ one }: { one: Delivery }) {
  const { status, word } = verdict(one);
  return <Status status={status} word={word} />;
}
