import "./build.css";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useLoaderData } from "@tanstack/react-router";
import { useState } from "react";
import { type Crumb } from "@/ui/frame/context";
import { usePage } from "@/ui/frame/hooks";
import { Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { LogViewer } from "../log/LogViewer";
import { usePhone } from "../log/useMedia";
import { jobPath, pipelinePath, resourcePath, wallPath } from "../paths";
import { type Build, buildQuery } from "../queries";
import { BuildHeader } from "./BuildHeader";
import { FailureCard } from "./FailureCard";
import { InputsTab } from "./InputsTab";
import { buildSearch } from "./search";
import { shownStatus } from "./steps";
import { StepTree } from "./StepTree";

/** One build: what it is, why it failed or waits, its steps, its log. */
export function BuildPage() {
  const { id } = useLoaderData({ strict: false }) as { id: number };
  return <Shown key={id} id={id} />;
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
  const log = <LogViewer build={build} search={search} onSearch={setSearch} onEnd={ended} toError={toError} />;
  return (
    <>
      <BuildHeader build={build} search={search} />
      {tab === "inputs" && <InputsTab build={build} />}
      {tab === "log" && phone && (
        <div className="build-stack">
          {card}
          <Waiting build={build} />
          {log}
          <StepTree build={build} />
        </div>
      )}
      {tab === "log" && !phone && (
        <div className="build-split">
          <aside className="left" aria-label="Steps">
            {card}
            <Waiting build={build} />
            <StepTree build={build} />
          </aside>
          {log}
        </div>
      )}
    </>
  );
}

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
