import { useSuspenseQuery } from "@tanstack/react-query";
import { useLoaderData } from "@tanstack/react-router";
import { FileCode2, Pause, Play, TableProperties, Workflow, ZoomIn, ZoomOut } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import type { Action } from "@/ui/frame/context";
import { useActions, usePage } from "@/ui/frame/hooks";
import { Menu, MenuItem } from "@/ui/Menu";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { Segmented } from "@/ui/Segmented";
import { SkeletonRows } from "@/ui/Skeleton";
import { useNow } from "@/ui/useNow";
import { useUrlState } from "@/ui/useUrlState";
import { runRefusal, useOperatorRefusal, usePausePipeline, useRunJob } from "../acts";
import { buildAddress, flyName, jobAddress, pipelineAddress, pipelineTitle } from "../address";
import { editPath, wallPath } from "../paths";
import { type Graph, graphQuery, type Job } from "../queries";
import { useGo } from "../useGo";
import { bars, currentBuild, pipelineStatus } from "../state";
import { WallContext } from "../wall/WallContext";
import type { View } from "./Canvas";
import { GraphTable } from "./GraphTable";
import { jobsOf } from "./model";
import { Notes } from "./Notes";
import { type PipelineSearch, pipelineSearch } from "./search";
import "./page.css";

const Canvas = lazy(() => import("./Canvas").then(({ Canvas: component }) => ({ default: component })));

/** One pipeline: how its jobs hang together and how each stands now. */
export function PipelinePage() {
  const { id } = useLoaderData({ strict: false }) as { id: number };
  const graph = useSuspenseQuery(graphQuery(id)).data;
  const { pipeline } = graph;
  const [search, setSearch] = useUrlState(pipelineSearch);
  const [view, setView] = useState<View | null>(null);
  const now = useNow(graph.jobs.some((job) => currentBuild(job)?.status === "started"));
  const shown = search.view ?? (window.matchMedia("(max-width: 639px)").matches ? "table" : "graph");
  const status = pipelineStatus(pipeline);
  usePage({ title: pipelineTitle(pipeline), status, crumbs: [{ label: "Pipelines", to: wallPath(pipeline.team) }, { label: pipelineTitle(pipeline) }] });
  usePipelineActions(graph, view, () => setSearch({ view: shown === "graph" ? "table" : "graph" }));
  return (
    <>
      <WallContext team={pipeline.team} />
      <PageHeader
        title={pipelineTitle(pipeline)}
        status={status}
        meta={<Meta graph={graph} />}
        actions={<Tools graph={graph} shown={shown} view={shown === "graph" ? view : null} onShown={(next) => setSearch({ view: next })} />}
        tabs={graph.groups.length > 0 ? groupTabs(graph, search) : undefined}
        tabsLabel="Groups"
        strip={{ bars: bars(pipeline.last_builds, now), label: `last ${pipeline.last_builds.length || 20} builds` }}
      />
      <Notes graph={graph} />
      {graph.jobs.length === 0 && <p className="pane muted">This pipeline has no jobs. Edit it to add one.</p>}
      {graph.jobs.length > 0 && shown === "table" && <GraphTable graph={graph} group={search.group} now={now} />}
      {graph.jobs.length > 0 && shown === "graph" && (
        <div className="canvas">
          <Suspense fallback={<SkeletonRows label="Loading the drawing" rows={6} />}>
            <Canvas graph={graph} group={search.group} now={now} onReady={setView} />
          </Suspense>
        </div>
      )}
      <Legend graph={graph} group={search.group} drawn={shown === "graph"} />
    </>
  );
}

function Meta({ graph }: { graph: Graph }) {
  const checked = graph.resources.map(({ last_checked_at: at }) => at ?? "").sort().at(-1);
  const next = graph.resources.map(({ next_check_at: at }) => at ?? "").filter(Boolean).sort()[0];
  return (
    <>
      {plural(graph.jobs.length, "job")}, {plural(graph.resources.length, "resource")}
      {checked && <> · checked <RelativeTime at={checked} /></>}
      {next && !graph.pipeline.paused && next > (checked ?? "") && <span className="desk"> · next check <RelativeTime at={next} /></span>}
    </>
  );
}

function groupTabs(graph: Graph, search: PipelineSearch) {
  const address = pipelineAddress(graph.pipeline);
  const shared = { ...address.search, ...(search.view ? { view: search.view } : {}) };
  const all = { label: "all", to: address.to, search: shared, count: graph.jobs.length };
  return [all, ...graph.groups.map(({ name, jobs }) => ({ label: name, to: address.to, search: { ...shared, group: name }, count: jobs.length }))];
}

type ToolsProps = { graph: Graph; shown: "graph" | "table"; view: View | null; onShown: (shown: "graph" | "table") => void };

function Tools({ graph, shown, view, onShown }: ToolsProps) {
  const { pipeline } = graph;
  const me = useSession();
  const go = useGo();
  const role = useOperatorRefusal(pipeline.team);
  const pause = usePausePipeline();
  const edit = () => go({ ...pipelineAddress(pipeline), to: editPath(pipeline.team, pipeline.name) });
  return (
    <>
      <Segmented
        label="Show as"
        value={shown}
        onChange={onShown}
        options={[
          { value: "graph", label: "Graph", icon: Workflow },
          { value: "table", label: "Table", icon: TableProperties },
        ]}
      />
      {view && (
        <span className="desk line">
          <IconButton icon={ZoomOut} label="Zoom out" onClick={view.zoomOut} />
          <IconButton icon={ZoomIn} label="Zoom in" onClick={view.zoomIn} />
          <Button kind="quiet" onClick={view.fit} tip="Show the whole pipeline">
            Fit
          </Button>
          <Button kind="quiet" onClick={view.actual} tip="Natural size">
            100 %
          </Button>
        </span>
      )}
      <IconButton icon={FileCode2} label="Edit the configuration" refused={refusal(me, pipeline.team, "member")} onClick={edit} />
      {!pipeline.paused && !pipeline.archived && (
        <Button icon={Pause} refused={role} busy={pause.busy} onClick={() => void pause.start(pipeline, true)}>
          Pause
        </Button>
      )}
      <RunMenu graph={graph} role={role} />
    </>
  );
}

/** Runs the only job at once; of several, asks which. */
function RunMenu({ graph, role }: { graph: Graph; role: string | false }) {
  const { pipeline, jobs } = graph;
  const run = useRunJob(pipeline);
  const kind = pipeline.paused ? "second" : "primary";
  const [only] = jobs;
  if (!only) return null;
  if (jobs.length === 1) {
    return (
      <Button kind={kind} icon={Play} refused={runRefusal(only, pipeline, role)} busy={run.busy} onClick={() => void run.start(only)}>
        Run {only.name}
      </Button>
    );
  }
  if (role) {
    return (
      <Button kind={kind} icon={Play} refused={role}>
        Run
      </Button>
    );
  }
  return (
    <Menu
      align="end"
      label="Which job to run"
      trigger={
        <Button kind={kind} icon={Play} busy={run.busy}>
          Run
        </Button>
      }
    >
      {jobs.map((job) => (
        <MenuItem key={job.id} icon={Play} refused={runRefusal(job, pipeline, false) ? "by new versions only" : false} onSelect={() => void run.start(job)}>
          {job.name}
        </MenuItem>
      ))}
    </Menu>
  );
}

function usePipelineActions(graph: Graph, view: View | null, onSwitch: () => void) {
  const { pipeline } = graph;
  const go = useGo();
  const role = useOperatorRefusal(pipeline.team);
  const pause = usePausePipeline();
  const run = useRunJob(pipeline);
  const group = pipelineTitle(pipeline);
  const actions: Action[] = [
    {
      id: "pipeline.pause",
      label: pipeline.paused ? `Unpause ${group}` : `Pause ${group}`,
      group,
      icon: pipeline.paused ? Play : Pause,
      refused: role,
      run: () => void pause.start(pipeline, !pipeline.paused),
    },
    { id: "pipeline.view", label: "Graph or table", group, keys: "v", icon: TableProperties, run: onSwitch },
  ];
  if (view) actions.push({ id: "pipeline.fit", label: "Fit the graph", group, keys: "z", run: view.fit });
  const open = (job: Job) => {
    const build = currentBuild(job);
    go(build ? buildAddress(pipeline, job.name, build) : jobAddress(pipeline, job.name));
  };
  for (const job of graph.jobs) {
    actions.push(
      { id: `job.go.${job.id}`, label: `${job.name}: latest build`, group, also: "go to job", icon: Workflow, run: () => open(job) },
      { id: `job.run.${job.id}`, label: `Run ${job.name}`, group, also: "trigger start", icon: Play, refused: runRefusal(job, pipeline, role), run: () => void run.start(job) },
    );
  }
  useActions(actions);
}

function Legend({ graph, group, drawn }: { graph: Graph; group?: string; drawn: boolean }) {
  const { pipeline } = graph;
  const [first] = jobsOf(graph, group);
  const command = first ? `fly -t ${pipeline.team} trigger-job -j ${flyName(pipeline)}/${first.name} -w` : `fly -t ${pipeline.team} get-pipeline -p ${flyName(pipeline)}`;
  return (
    <footer className="legend meta">
      {drawn && (
        <>
          <span className="line desk">
            <i className="key" />
            starts the job
          </span>
          <span className="line desk">
            <i className="key lazy" />
            taken, does not start it
          </span>
          <span className="line desk">
            <i className="key lit" />
            feeds a running build
          </span>
        </>
      )}
      <span className="line push command">
        <code className="clip">{command}</code>
        <CopyButton text={command} what="Copy the command" />
      </span>
    </footer>
  );
}
