import { useSuspenseQuery } from "@tanstack/react-query";
import { useLoaderData } from "@tanstack/react-router";
import { Pause, Play } from "lucide-react";
import { lazy, Suspense } from "react";
import { plural } from "@/format/bytes";
import { duration } from "@/format/duration";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { useActions, usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useNow } from "@/ui/useNow";
import { useUrlState } from "@/ui/useUrlState";
import { asks, runRefusal, useOperatorRefusal, usePauseJob, useRunJob } from "../acts";
import { buildAddress, flyName, jobAddress, pipelineAddress, pipelineTitle } from "../address";
import { AddressLink } from "../AddressLink";
import { shownStatus } from "../build/steps";
import { wallPath } from "../paths";
import { type BuildListItem, graphQuery, type Job, jobBuildsQuery, jobQuery, type Pipeline } from "../queries";
import { useGo } from "../useGo";
import { bars, jobStatus, medianSeconds, seconds } from "../state";
import "../graph/page.css";
import { WallContext } from "../wall/WallContext";
import { Inputs } from "./Inputs";
import { jobSearch } from "./search";

const RunForm = lazy(async () => ({ default: (await import("./RunForm")).RunForm }));

/** One job: its builds, how long they take, and why the next has not begun. */
export function JobPage() {
  const { id, pipeline: pipelineId } = useLoaderData({ strict: false }) as { id: number; pipeline: number };
  const job = useSuspenseQuery(jobQuery(id)).data;
  const { pipeline, jobs } = useSuspenseQuery(graphQuery(pipelineId)).data;
  const [{ before, run, like }, setSearch] = useUrlState(jobSearch);
  const builds = useSuspenseQuery(jobBuildsQuery(id, before)).data;
  const now = useNow(builds.items.some(({ status }) => status === "started"));
  const go = useGo();
  const status = jobStatus(job);
  usePage({
    title: `${job.name} of ${pipelineTitle(pipeline)}`,
    status,
    crumbs: [{ label: "Pipelines", to: wallPath(pipeline.team) }, { label: pipeline.name, to: pipelineAddress(pipeline).to }, { label: job.name }],
  });
  const acts = useJobActs(pipeline, job);
  const median = medianSeconds(job.last_builds);
  const command = `fly -t ${pipeline.team} trigger-job -j ${flyName(pipeline)}/${job.name} -w`;
  return (
    <>
      <WallContext team={pipeline.team} />
      <PageHeader
        title={job.name}
        status={status}
        meta={<>job of {pipelineTitle(pipeline)}{job.groups.length > 0 && ` · ${job.groups.join(", ")}`}</>}
        actions={
          <>
            <Button icon={job.paused ? Play : Pause} refused={acts.role} busy={acts.pause.busy} onClick={() => void acts.pause.start(job, !job.paused)}>
              {job.paused ? "Unpause" : "Pause"}
            </Button>
            <Button kind="primary" icon={Play} refused={acts.refused} busy={acts.run.busy} onClick={() => void acts.run.start(job)}>
              {asks(job) ? "Run…" : "Run"}
            </Button>
          </>
        }
        strip={{ bars: bars(job.last_builds, now), label: median ? `last ${plural(job.last_builds.length, "build")} · median ${duration(Math.round(median))}` : `last ${plural(job.last_builds.length || 20, "build")}` }}
      />
      {run && asks(job) && (
        <Suspense>
          <RunForm open onClose={() => setSearch({ run: undefined, like: undefined })} pipeline={pipeline} job={job} refused={acts.refused} like={like} />
        </Suspense>
      )}
      <Waiting job={job} />
      <Inputs pipeline={pipeline} job={job} jobs={jobs} />
      {builds.items.length === 0 && !before ? (
        <div className="pane grid gap-3 max-w-[760px]">
          <h2>No builds yet</h2>
          <p className="muted">Builds of {job.name} will be listed here. It starts {job.inputs.some(({ trigger }) => trigger) ? "by itself with the first version of its inputs, or by hand" : "by hand"}:</p>
          <CodeBlock code={command} />
        </div>
      ) : (
        <Table
          label={`Builds of ${job.name}`}
          columns={columns(pipeline, job.name, now)}
          rows={builds.items}
          rowKey={(build) => String(build.id)}
          onOpen={(build) => go(buildAddress(pipeline, job.name, build))}
          keyboard
        />
      )}
      <Pages pipeline={pipeline} job={job.name} before={before} oldest={builds.more ? builds.items.at(-1)?.id : undefined} />
    </>
  );
}

function useJobActs(pipeline: Pipeline, job: Job) {
  const role = useOperatorRefusal(pipeline.team);
  const run = useRunJob(pipeline);
  const pause = usePauseJob(pipeline);
  const refused = runRefusal(job, pipeline, role);
  useActions([
    { id: "job.run", label: `Run ${job.name}`, group: "This job", also: "trigger start", keys: "r", icon: Play, refused, run: () => void run.start(job) },
    { id: "job.pause", label: job.paused ? `Unpause ${job.name}` : `Pause ${job.name}`, group: "This job", icon: Pause, refused: role, run: () => void pause.start(job, !job.paused) },
  ]);
  return { role, run, pause, refused };
}

function Waiting({ job }: { job: Job }) {
  const paused = job.paused && (
    <div className="notice paused-note" role="status">
      <span className="min-w-0">
        <b>Paused{job.paused_by ? ` by ${job.paused_by}` : ""}.</b> New versions queue no build until it runs again.
      </span>
    </div>
  );
  const sentences = job.waiting.filter((sentence) => !(job.paused && sentence === "The job is paused."));
  if (!paused && sentences.length === 0) return null;
  return (
    <div className="pane grid gap-2 pb-3">
      {paused}
      {sentences.length > 0 && (
        <Notice>
          <b>{job.next_build ? `#${job.next_build.name} waits.` : "The next build waits."}</b> {sentences.join(" ")}
        </Notice>
      )}
    </div>
  );
}

function columns(pipeline: Pipeline, job: string, now: number): Column<BuildListItem>[] {
  return [
    {
      key: "name",
      head: "Build",
      width: 112,
      lead: true,
      cell: (build) => (
        <AddressLink className="title" at={buildAddress(pipeline, job, build)}>
          #{build.name}
        </AddressLink>
      ),
    },
    { key: "status", head: "State", width: 128, cell: ({ status }) => <Status status={shownStatus(status)} /> },
    { key: "cause", head: "Why", cell: ({ cause }) => <span title={cause}>{cause}</span> },
    { key: "by", head: "By", width: 120, cell: ({ created_by: by }) => by || "–" },
    { key: "at", head: "When", width: 112, cell: ({ started_at: started, created_at: created }) => <RelativeTime at={started ?? created} /> },
    { key: "took", head: "Took", width: 96, number: true, cell: (build) => (build.started_at ? duration(Math.round(seconds(build, now) * 10) / 10) : "–") },
  ];
}

function Pages({ pipeline, job, before, oldest }: { pipeline: Pipeline; job: string; before?: number; oldest?: number }) {
  if (!before && !oldest) return null;
  const address = jobAddress(pipeline, job);
  return (
    <nav className="pane line" aria-label="Pages of builds">
      {before && (
        <AddressLink className="btn" at={address}>
          Newest builds
        </AddressLink>
      )}
      {oldest && (
        <AddressLink className="btn" at={{ to: address.to, search: { ...address.search, before: oldest } }}>
          Older builds
        </AddressLink>
      )}
    </nav>
  );
}
