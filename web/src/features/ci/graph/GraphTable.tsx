import { CirclePlay, Pause, Pin, Play } from "lucide-react";
import { duration } from "@/format/duration";
import { IconButton } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { RelativeTime } from "@/ui/RelativeTime";
import { RunStrip } from "@/ui/RunStrip";
import { Status, StatusGlyph } from "@/ui/StatusGlyph";
import { statuses } from "@/ui/status";
import { type Column, Table } from "@/ui/Table";
import { runRefusal, useOperatorRefusal, usePauseJob, useRunJob } from "../acts";
import { buildAddress, jobAddress, resourceAddress } from "../address";
import { AddressLink } from "../AddressLink";
import type { Graph, GraphResource, Job } from "../queries";
import { useGo } from "../useGo";
import { bars, currentBuild, fullVersion, jobStatus, medianSeconds, remoteWords, shortVersion } from "../state";
import { jobsOf } from "./model";
import { jobLine } from "./words";

type Props = { graph: Graph; group?: string; now: number };

/** The graph as two tables: the same jobs, inputs and resources, for readers, phones and long lists. */
export function GraphTable({ graph, group, now }: Props) {
  const { pipeline } = graph;
  const go = useGo();
  const role = useOperatorRefusal(pipeline.team);
  const run = useRunJob(pipeline);
  const pause = usePauseJob(pipeline);
  const jobs = jobsOf(graph, group);
  const used = new Set(jobs.flatMap((job) => [...job.inputs, ...job.outputs].map(({ resource }) => resource)));
  const resources = group ? graph.resources.filter(({ name }) => used.has(name)) : graph.resources;
  const acts = (job: Job) => (
    <span className="line justify-end">
      <IconButton
        size="small"
        icon={job.paused ? CirclePlay : Pause}
        label={job.paused ? `Unpause ${job.name}` : `Pause ${job.name}`}
        refused={role}
        busy={pause.busy}
        onClick={() => void pause.start(job, !job.paused)}
      />
      <IconButton size="small" icon={Play} label={`Run ${job.name}`} refused={runRefusal(job, pipeline, role)} busy={run.busy} onClick={() => void run.start(job)} />
    </span>
  );
  return (
    <div className="graph-table">
      <Table
        label="Jobs"
        columns={jobColumns(graph, now, acts)}
        rows={jobs}
        rowKey={({ id }) => String(id)}
        onOpen={(job) => {
          const build = currentBuild(job);
          go(build ? buildAddress(pipeline, job.name, build) : jobAddress(pipeline, job.name));
        }}
        keyboard
      />
      {resources.length > 0 && (
        <Table label="Resources" columns={resourceColumns(graph)} rows={resources} rowKey={({ id }) => String(id)} onOpen={({ name }) => go(resourceAddress(pipeline, name))} />
      )}
    </div>
  );
}

function jobColumns({ pipeline }: Graph, now: number, acts: (job: Job) => React.ReactNode): Column<Job>[] {
  const rank = (job: Job) => statuses.indexOf(jobStatus(job));
  return [
    {
      key: "name",
      head: "Job",
      lead: true,
      sort: (a, b) => a.name.localeCompare(b.name),
      cell: (job) => (
        <AddressLink className="title" at={jobAddress(pipeline, job.name)}>
          {job.name}
        </AddressLink>
      ),
    },
    { key: "status", head: "State", width: 120, sort: (a, b) => rank(a) - rank(b), cell: (job) => <Status status={jobStatus(job)} /> },
    { key: "latest", head: "Latest build", width: "22%", cell: (job) => <LatestBuild pipeline={pipeline} job={job} now={now} /> },
    { key: "inputs", head: "Started by", width: "22%", cell: (job) => <span className="desk" title={inputWords(job)}>{inputWords(job)}</span> },
    { key: "median", head: "Median", width: 96, number: true, cell: (job) => duration(medianSeconds(job.last_builds)) },
    { key: "strip", head: "Last builds", width: 148, end: true, cell: (job) => <RunStrip bars={bars(job.last_builds, now)} label={`${job.name}, last builds`} slots={20} /> },
    { key: "acts", head: <span className="sr">Actions</span>, width: 96, end: true, cell: acts },
  ];
}

function LatestBuild({ pipeline, job, now }: { pipeline: Graph["pipeline"]; job: Job; now: number }) {
  const build = currentBuild(job);
  const line = jobLine(job, now);
  if (!build) return <span>{line}</span>;
  return (
    <AddressLink className="link" title={line} at={buildAddress(pipeline, job.name, build)}>
      {line}
    </AddressLink>
  );
}

/** "shop, base from image; not by tools": what starts a job and what it only takes. */
export function inputWords(job: Pick<Job, "inputs">): string {
  const say = ({ resource, passed }: Job["inputs"][number]) => (passed.length > 0 ? `${resource} from ${passed.join(", ")}` : resource);
  const starting = job.inputs.filter(({ trigger }) => trigger).map(say);
  const taken = job.inputs.filter(({ trigger }) => !trigger).map(say);
  return [starting.join("; ") || "hand only", taken.length > 0 ? `takes ${taken.join("; ")}` : ""].filter(Boolean).join(" · ");
}

function resourceColumns({ pipeline }: Graph): Column<GraphResource>[] {
  return [
    {
      key: "name",
      head: "Resource",
      lead: true,
      sort: (a, b) => a.name.localeCompare(b.name),
      cell: (resource) => (
        <AddressLink className="title" at={resourceAddress(pipeline, resource.name)}>
          {resource.name}
        </AddressLink>
      ),
    },
    { key: "type", head: "Type", width: 120, cell: ({ type }) => type },
    {
      key: "version",
      head: "Latest version",
      width: "22%",
      cell: ({ last_version: version, pinned }) => (
        <span className="line">
          {pinned && <Icon of={Pin} size="s" label="Pinned" />}
          {version ? (
            <code className="clip" title={fullVersion(version)}>
              {shortVersion(version)}
            </code>
          ) : (
            "none yet"
          )}
        </span>
      ),
    },
    {
      key: "check",
      head: "Last check",
      width: "30%",
      cell: ({ check_error: error, last_checked_at: at }) =>
        error ? (
          <span className="line" title={error}>
            <StatusGlyph status="errored" label="Failed" />
            <span className="clip">{remoteWords(error)}</span>
          </span>
        ) : at ? (
          <RelativeTime at={at} />
        ) : (
          "not yet"
        ),
    },
    { key: "next", head: "Next", width: 104, end: true, cell: ({ next_check_at: at }) => (at ? <RelativeTime at={at} /> : "–") },
  ];
}
