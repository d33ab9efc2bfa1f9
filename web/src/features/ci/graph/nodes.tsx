import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import { Pin } from "lucide-react";
import { duration } from "@/format/duration";
import { classes } from "@/ui/classes";
import { Icon } from "@/ui/Icon";
import { RunStrip } from "@/ui/RunStrip";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { statusWord } from "@/ui/status";
import { buildAddress, jobAddress, resourceAddress } from "../address";
import { AddressLink } from "../AddressLink";
import type { Pipeline } from "../queries";
import { bars, checkFails, currentBuild, fullVersion, jobStatus, medianSeconds, seconds, shortVersion } from "../state";
import type { JobNode, PillNode } from "./model";
import { jobLine } from "./words";

type Shared = { pipeline: Pipeline; now: number; onLight: (id: string | null) => void };
export type JobFlowNode = Node<Shared & { node: JobNode; sweeps: boolean }, "job">;
export type PillFlowNode = Node<Shared & { node: PillNode }, "pill">;
export type FlowNode = JobFlowNode | PillFlowNode;

/** Where lines end. People never draw lines here. */
function Ends() {
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </>
  );
}

/** A job: state, name, its newest builds, what the current one does. Leads to that build. */
export function JobBox({ data }: NodeProps<JobFlowNode>) {
  const { node, pipeline, now, sweeps, onLight } = data;
  const { job } = node;
  const status = jobStatus(job);
  const build = currentBuild(job);
  const running = build?.status === "started";
  const address = build ? buildAddress(pipeline, job.name, build) : jobAddress(pipeline, job.name);
  const line = jobLine(job, now);
  return (
    <div className={classes("job-box", `is-${status}`)} onFocus={() => onLight(node.id)} onBlur={() => onLight(null)}>
      <Ends />
      {running && (
        <svg className={classes("sweep", sweeps && "moves")} aria-hidden="true">
          <rect x="1" y="1" rx="3" pathLength="100" />
        </svg>
      )}
      <span className="line">
        <StatusGlyph status={status} label={statusWord(status)} />
        <AddressLink className="name clip" title={`${job.name}: ${line}`} at={address}>
          {job.name}
        </AddressLink>
        <AddressLink className="history push" aria-label={`Builds of ${job.name}`} title={`Builds of ${job.name}`} at={jobAddress(pipeline, job.name)}>
          <RunStrip bars={bars(job.last_builds.slice(-6), now)} label={`${job.name}, last builds`} />
        </AddressLink>
      </span>
      <span className="sub clip">{line}</span>
      {running && <Meter value={seconds(build, now)} of={medianSeconds(job.last_builds)} name={job.name} />}
    </div>
  );
}

function Meter({ value, of, name }: { value: number; of?: number; name: string }) {
  if (!of) return null;
  const share = Math.min(1, value / of);
  return (
    <span
      className="meter"
      role="progressbar"
      aria-label={`${name}, against the usual ${duration(Math.round(of))}`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
    >
      <i style={{ "--v": `${share * 100}%` } as React.CSSProperties} />
    </span>
  );
}

/** A resource where it enters, or as a job hands it on. Leads to its page. */
export function ResourcePill({ data }: NodeProps<PillFlowNode>) {
  const { node, pipeline, onLight } = data;
  const { resource } = node;
  const bad = resource && checkFails(resource);
  const version = shortVersion(resource?.last_version);
  const entry = node.after === undefined;
  const tip = [node.name, resource && `(${resource.type})`, fullVersion(resource?.last_version), bad && `check failed: ${resource.check_error}`].filter(Boolean).join(" ");
  return (
    <div
      className={classes("pill-box", bad && entry && "is-bad", resource?.pinned && "is-pinned")}
      onFocus={() => onLight(node.id)}
      onBlur={() => onLight(null)}
    >
      <Ends />
      <span className="line">
        {bad && entry && <StatusGlyph status="errored" label="Check failed" />}
        {resource?.pinned && <Icon of={Pin} size="s" label="Pinned" />}
        <AddressLink className="name clip" title={tip} at={resourceAddress(pipeline, node.name)}>
          {node.name}
        </AddressLink>
      </span>
      {version && entry && <span className="ver clip">{version}</span>}
    </div>
  );
}
