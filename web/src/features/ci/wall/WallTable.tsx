import { RelativeTime } from "@/ui/RelativeTime";
import { RunStrip } from "@/ui/RunStrip";
import { Status } from "@/ui/StatusGlyph";
import { statuses } from "@/ui/status";
import { type Column, Table } from "@/ui/Table";
import { pipelineAddress, pipelineTitle } from "../address";
import { AddressLink } from "../AddressLink";
import type { Pipeline } from "../queries";
import { useGo } from "../useGo";
import { bars, pipelineStatus } from "../state";
import { latestLine } from "./note";

/** The wall as a table: the same pipelines, sortable, for readers and for long lists. */
export function WallTable({ pipelines, now }: { pipelines: Pipeline[]; now: number }) {
  const go = useGo();
  return (
    <Table
      label="Pipelines"
      columns={columns(now)}
      rows={pipelines}
      rowKey={({ id }) => String(id)}
      onOpen={(pipeline) => go(pipelineAddress(pipeline))}
      keyboard
    />
  );
}

function columns(now: number): Column<Pipeline>[] {
  const rank = (pipeline: Pipeline) => statuses.indexOf(pipelineStatus(pipeline));
  return [
    {
      key: "name",
      head: "Pipeline",
      lead: true,
      sort: (a, b) => pipelineTitle(a).localeCompare(pipelineTitle(b)),
      cell: (pipeline) => (
        <AddressLink className="title" at={pipelineAddress(pipeline)}>
          {pipelineTitle(pipeline)}
        </AddressLink>
      ),
    },
    { key: "status", head: "State", width: 128, sort: (a, b) => rank(a) - rank(b), cell: (pipeline) => <Status status={pipelineStatus(pipeline)} /> },
    { key: "latest", head: "Latest build", width: "24%", cell: (pipeline) => latestLine(pipeline, now) },
    { key: "change", head: "Commit", width: 96, cell: ({ last_change: change }) => (change?.sha ? <code title={change.message}>{change.sha.slice(0, 7)}</code> : "–") },
    { key: "updated", head: "Set", width: 104, sort: (a, b) => a.updated_at.localeCompare(b.updated_at), cell: (pipeline) => <RelativeTime at={pipeline.updated_at} /> },
    { key: "strip", head: "Last 20 builds", width: 176, end: true, cell: (pipeline) => <RunStrip bars={bars(pipeline.last_builds, now)} label={`${pipelineTitle(pipeline)}, last builds`} slots={20} /> },
  ];
}
