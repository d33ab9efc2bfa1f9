import "./build.css";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useLoaderData } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { type Crumb } from "@/ui/frame/context";
import { usePage } from "@/ui/frame/hooks";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { LogViewer } from "../log/LogViewer";
import { usePhone } from "../log/useMedia";
import { jobPath, pipelinePath, resourcePath, wallPath } from "../paths";
import { type Build, buildQuery } from "../queries";
import { BuildHeader } from "./BuildHeader";
import { FailureCard } from "./FailureCard";
import type { Found } from "./named";
import { buildSearch } from "./search";
import { flatten, shownStatus } from "./steps";
import { StepTree } from "./StepTree";

// The log is what a build page is opened for; the rest comes when it is asked for.
const Awaited = lazy(async () => ({ default: (await import("./Awaited")).Awaited }));
const ApprovalCard = lazy(async () => ({ default: (await import("./ApprovalCard")).ApprovalCard }));
const InputsTab = lazy(async () => ({ default: (await import("./InputsTab")).InputsTab }));
const TestsTab = lazy(async () => ({ default: (await import("../outputs/TestsTab")).TestsTab }));
const ArtifactsTab = lazy(async () => ({ default: (await import("../outputs/ArtifactsTab")).ArtifactsTab }));
const ComponentsTab = lazy(async () => ({ default: (await import("../outputs/ComponentsTab")).ComponentsTab }));

/** One build: what it is, why it failed or waits, its steps, its log. */
export function BuildPage() {
  const found = useLoaderData({ strict: false }) as Found;
  return found.id === undefined ? <Suspense><Awaited job={found.job} /></Suspense> : <Shown key={found.id} id={found.id} />;
}

function Shown({ id }: { id: number }) {
  const { data: build } = useSuspenseQuery(buildQuery(id));
  const [search, setSearch] = useUrlState(buildSearch);
  const [toError, setToError] = useState(0);
  const client = useQueryClient();
  const phone = usePhone();
  usePage({ title: buildTitle(build), crumbs: buildCrumbs(build), status: shownStatus(build.status) });
  const tab = search.tab ?? "log";
  const ended = () => void client.invalidateQueries({ queryKey: buildQuery(id).queryKey });
  const card = build.failure && <FailureCard build={build} failure={build.failure} onFirstError={() => setToError((times) => times + 1)} />;
  const asks = mayAsk(build) && <Suspense><ApprovalCard build={build} /></Suspense>;
  const log = <LogViewer build={build} search={search} onSearch={setSearch} onEnd={ended} toError={toError} />;
  return (
    <>
      <BuildHeader build={build} search={search} />
      {build.superseded_by && <Superseded by={build.superseded_by} />}
      {tab !== "log" && (
        <Suspense fallback={<SkeletonRows rows={6} />}>
          {tab === "inputs" && <InputsTab build={build} />}
          {tab === "tests" && <TestsTab build={build} search={search} onSearch={setSearch} />}
          {tab === "artifacts" && <ArtifactsTab build={build} />}
          {tab === "components" && <ComponentsTab build={build} search={search} onSearch={setSearch} />}
        </Suspense>
      )}
      {tab === "log" && phone && (
        <div className="build-stack">
          {card}
          <Waiting build={build} />
          {asks}
          {log}
          <StepTree build={build} />
        </div>
      )}
      {tab === "log" && !phone && (
        <div className="build-split">
          <aside className="left" aria-label="Steps">
            {card}
            <Waiting build={build} />
            {asks}
            <StepTree build={build} />
          </aside>
          {log}
        </div>
      )}
    </>
  );
}

function Superseded({ by }: { by: number }) {
  return (
    <div className="pane pb-2">
      <Notice>
        A newer build of this job took its place, so this one was aborted.{" "}
        <Link className="link" to={`/builds/${by}`}>
          Open the newer build
        </Link>
      </Notice>
    </div>
  );
}

/** Only a put asks for approval: most builds need not look whether they wait for a person. */
const mayAsk = ({ status, steps }: Build) => status === "started" && flatten(steps).some((step) => step.kind === "put" && step.status === "running");

/** Why a build has not begun, in sentences. */
function Waiting({ build }: { build: Build }) {
  if (build.status !== "pending") return null;
  const reasons = build.waiting.length > 0 ? build.waiting : ["It is about to start."];
  return (
    <section className="waits" aria-label="Why it waits">
      {reasons.map((reason) => (
        <Notice key={reason}>{reason}</Notice>
      ))}
    </section>
  );
}

function buildTitle(build: Build): string {
  return build.job ? `${build.pipeline?.name ?? ""} / ${build.job.name} #${build.name}` : `check of ${build.resource?.name ?? "a resource"} #${build.name}`;
}

function buildCrumbs({ team, pipeline, job, resource, name }: Build): Crumb[] {
  const crumbs: Crumb[] = [{ label: "Pipelines", to: wallPath(team) }];
  if (pipeline) crumbs.push({ label: pipeline.name, to: pipelinePath(team, pipeline.name) });
  if (pipeline && job) crumbs.push({ label: job.name, to: jobPath(team, pipeline.name, job.name) });
  else if (pipeline && resource) crumbs.push({ label: resource.name, to: resourcePath(team, pipeline.name, resource.name) });
  return [...crumbs, { label: `#${name}` }];
}
