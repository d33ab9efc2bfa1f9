import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { bytes, plural } from "@/format/bytes";
import { Copyable } from "@/ui/CopyButton";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { type Volume, volumesQuery } from "./queries";
import { WorkersFrame } from "./WorkersFrame";

/** What a team's builds keep on the disks of workers. */
export function VolumesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const { items } = useSuspenseQuery(volumesQuery(team)).data;
  const total = items.reduce((sum, volume) => sum + volume.bytes, 0);
  return (
    <WorkersFrame team={team} title="Volumes" meta={items.length > 0 ? `${plural(items.length, "volume")} of ${team}, ${total > 0 ? bytes(total) : "not measured yet"}` : `no volume of ${team}`}>
      {items.length === 0 ? (
        <EmptyState headline="No volumes">Versions that a get fetched, outputs of tasks and caches are kept here while something may still need them.</EmptyState>
      ) : (
        <Table label="Volumes" rows={items} rowKey={({ handle }) => handle} columns={columns} keyboard />
      )}
    </WorkersFrame>
  );
}

const instant = (at: string | undefined) => (at ? new Date(at).getTime() : 0);

const columns: Column<Volume>[] = [
  { key: "handle", head: "Volume", lead: true, width: 144, cell: ({ handle }) => <Copyable text={handle}>{handle.slice(0, 12)}</Copyable> },
  { key: "kind", head: "Kind", width: 120, sort: (a, b) => a.kind.localeCompare(b.kind), cell: ({ kind }) => kind },
  { key: "path", head: "Path", cell: ({ path }) => (path ? <code title={path}>{path}</code> : <span className="muted">–</span>) },
  { key: "by", head: "Used by", said: "used by", cell: ({ used_by: by }) => (by.length > 0 ? <span title={by.join(", ")}>{by.join(", ")}</span> : <span className="muted">nothing now</span>) },
  { key: "bytes", head: "Size", width: 96, number: true, sort: (a, b) => a.bytes - b.bytes, cell: ({ bytes: size }) => (size > 0 ? bytes(size) : <span className="muted" title="Empty, or not measured yet">–</span>) },
  { key: "at", head: "Made", said: "made", width: 112, sort: (a, b) => instant(a.created_at) - instant(b.created_at), cell: ({ created_at: at }) => (at ? <RelativeTime at={at} /> : "–") },
];
