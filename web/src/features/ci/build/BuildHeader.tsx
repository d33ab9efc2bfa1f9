import { useQueryClient } from "@tanstack/react-query";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { ArrowLeft, ArrowRight, Ban, ChevronDown, Copy, RotateCw } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { api, data } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { duration } from "@/format/duration";
import { clockTime, utcTime } from "@/format/time";
import { Button, IconButton } from "@/ui/Button";
import { copyText } from "@/ui/clipboard";
import { useActions, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Menu, MenuItem } from "@/ui/Menu";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { statusWord } from "@/ui/status";
import { useNow } from "../log/useMedia";
import { buildPath, jobPath } from "../paths";
import { type Build, buildQuery } from "../queries";
import { commitWords } from "./commit";
import type { BuildSearch } from "./search";
import { isOver, shownStatus } from "./steps";

const AbortDialog = lazy(async () => ({ default: (await import("./AbortDialog")).AbortDialog }));

type Props = { build: Build; search: BuildSearch };

/** Who, why, how long; and what can be done about it. */
export function BuildHeader({ build, search }: Props) {
  const over = isOver(build.status);
  const here = useLocation().pathname;
  const tabs = buildTabs(build, search).map(({ tab, ...rest }) => ({ ...rest, to: here, search: { ...kept(search), tab } }));
  const recent = build.recent.map(({ status, duration_ms }) => ({ status: shownStatus(status), value: duration_ms ?? 0 }));
  const of = build.job?.name ?? build.resource?.name ?? "";
  return (
    <PageHeader
      title={build.job ? `${build.pipeline?.name} / ${build.job.name} #${build.name}` : `check of ${build.resource?.name ?? "a resource"} #${build.name}`}
      status={shownStatus(build.status)}
      meta={<Meta build={build} over={over} />}
      actions={<Acts build={build} over={over} />}
      tabs={tabs}
      tabsLabel="Views of the build"
      strip={recent.length > 0 ? { bars: recent, label: recent.length > 1 ? `last ${recent.length} builds of ${of}` : `only build of ${of}` } : undefined}
    />
  );
}

/** What stays in the address from one tab to another: how the log is shown, not what was looked for elsewhere. */
const kept = ({ q, regex, match, time, wrap }: BuildSearch) => ({ q, regex, match, time, wrap });

function buildTabs(build: Build, search: BuildSearch): { label: string; tab?: BuildSearch["tab"]; count?: number }[] {
  return [
    { label: "Log" },
    { label: "Inputs", tab: "inputs", count: build.inputs.length + (build.run_inputs?.length ?? 0) },
    ...(build.job ? [{ label: "Tests", tab: "tests" as const }, { label: "Artifacts", tab: "artifacts" as const, count: build.artifacts || undefined }] : []),
    ...(build.sbom || search.tab === "components" ? [{ label: "Components", tab: "components" as const }] : []),
  ];
}

function Meta({ build, over }: { build: Build; over: boolean }) {
  const now = useNow(!over);
  const status = shownStatus(build.status);
  const parts: ReactNode[] = [];
  const at = build.failure?.name && (build.status === "failed" || build.status === "errored") ? ` at ${build.failure.name}` : "";
  parts.push(
    <>
      <span className={`st ${status}`}>{statusWord(status)}</span>
      {at}
    </>,
  );
  const length = build.started_at ? (new Date(build.ended_at ?? now).getTime() - new Date(build.started_at).getTime()) / 1000 : undefined;
  if (length !== undefined) parts.push(<span className="num">{duration(length)}{build.median_ms ? `, median ${duration(build.median_ms / 1000)}` : ""}</span>);
  if (build.cause) parts.push(build.cause.replace(/\.$/, ""));
  const commit = commitWords(build.inputs);
  if (commit) parts.push(<span title={commit}>{commit}</span>);
  if (build.started_at && build.ended_at) parts.push(<time dateTime={build.started_at} title={`${clockTime(build.started_at)} to ${clockTime(build.ended_at)} here`}>{span(build.started_at, build.ended_at)}</time>);
  else parts.push(<>{build.started_at ? "began" : "created"} <RelativeTime at={build.started_at ?? build.created_at} /></>);
  return parts.map((part, index) => (
    <span key={index}>
      {index > 0 && " · "}
      {part}
    </span>
  ));
}

/** "07:48:51 to 07:55:00 UTC", with the day where it is another. */
function span(start: string, end: string): string {
  const [from, to] = [utcTime(start), utcTime(end)];
  const today = new Date().toISOString().slice(0, 10);
  return `${from.startsWith(today) ? from.slice(11, 19) : from.slice(0, 19)} to ${to.slice(0, 10) === from.slice(0, 10) ? to.slice(11) : to}`;
}

function Acts({ build, over }: { build: Build; over: boolean }) {
  const me = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const [asking, setAsking] = useState(false);
  const refused = refusal(me, build.team, "pipeline-operator");
  const go = (id: number | undefined) => {
    if (id === undefined) return;
    const name = build.recent.find((one) => one.id === id)?.name;
    void navigate({ to: name ? buildPath(build.team, { ...build, id, name }) : `/builds/${id}` });
  };
  const opened = (made: Build, what: string) => {
    client.setQueryData(buildQuery(made.id).queryKey, made);
    void client.invalidateQueries({ queryKey: ["ci", "job"] });
    toast({ text: `${what} #${made.name} is queued` });
    void navigate({ to: buildPath(made.team, made) });
  };
  const rerun = useTask({
    run: () => data(api.POST("/api/v1/ci/builds/{id}/rerun", { params: { path: { id: build.id } } })),
    onDone: (made) => opened(made, "Rerun"),
    failed: "Not run again.",
  });
  const trigger = useTask({
    // What the job asks for is asked again, beginning with what this build was given.
    run: async () => ((build.run_inputs?.length ?? 0) > 0 ? undefined : data(api.POST("/api/v1/ci/jobs/{id}/builds", { params: { path: { id: build.job?.id ?? 0 } } }))),
    onDone: (made) => {
      if (made) opened(made, "Build");
      else void navigate({ to: jobPath(build.team, build.pipeline?.name ?? "", build.job?.name ?? ""), search: { run: true, like: build.id } as never });
    },
    failed: "Not started.",
  });
  const abort = useTask({
    run: () => data(api.POST("/api/v1/ci/builds/{id}/abort", { params: { path: { id: build.id } } })),
    onDone: () => {
      setAsking(false);
      toast({ text: `#${build.name} is told to stop` });
      void client.invalidateQueries({ queryKey: buildQuery(build.id).queryKey });
    },
    failed: "Not aborted.",
  });
  const copy = async () => toast({ text: (await copyText((await import("./markdown")).buildMarkdown(build, window.location.href))) ? "Copied as Markdown" : "The browser refused to copy." });
  const noRerun = refused || (!build.job && "Checks are not run again; check the resource instead.");
  useActions([
    { id: "build.rerun", label: "Rerun this build", group: "Build", keys: "r", icon: RotateCw, refused: noRerun || (!over && "The build still runs."), run: () => void rerun.start() },
    { id: "build.abort", label: "Abort this build", group: "Build", keys: "a", icon: Ban, refused: refused || (over && "The build is over."), run: () => setAsking(true) },
    { id: "build.previous", label: "Previous build", group: "Build", keys: "ArrowLeft", icon: ArrowLeft, refused: build.previous_id === undefined && "This is the first build.", run: () => go(build.previous_id) },
    { id: "build.next", label: "Next build", group: "Build", keys: "ArrowRight", icon: ArrowRight, refused: build.next_id === undefined && "This is the last build.", run: () => go(build.next_id) },
    { id: "build.markdown", label: "Copy the build as Markdown", group: "Build", icon: Copy, run: () => void copy() },
  ]);
  return (
    <>
      <IconButton className="desk" icon={ArrowLeft} label="Previous build" disabled={build.previous_id === undefined} onClick={() => go(build.previous_id)} />
      <IconButton className="desk" icon={ArrowRight} label="Next build" disabled={build.next_id === undefined} onClick={() => go(build.next_id)} />
      <Button kind="quiet" className="desk" icon={Copy} onClick={() => void copy()}>
        Copy as Markdown
      </Button>
      {over ? (
        <Rerun busy={rerun.busy || trigger.busy} asked={(build.run_inputs?.length ?? 0) > 0} refused={noRerun} onRerun={() => void rerun.start()} onTrigger={build.job ? () => void trigger.start() : undefined} />
      ) : (
        <Button kind="danger" icon={Ban} refused={refused} busy={abort.busy} onClick={() => setAsking(true)}>
          Abort
        </Button>
      )}
      {asking && (
        <Suspense>
          <AbortDialog name={build.name} busy={abort.busy} onClose={() => setAsking(false)} onConfirm={() => void abort.start()} />
        </Suspense>
      )}
    </>
  );
}

type RerunProps = { busy: boolean; /** The job asks for inputs. */ asked: boolean; refused: string | false; onRerun: () => void; onTrigger?: () => void };

function Rerun({ busy, refused, asked, onRerun, onTrigger }: RerunProps) {
  return (
    <span className="btn-pair">
      <Button kind="primary" icon={RotateCw} busy={busy} refused={refused} onClick={onRerun}>
        Rerun
      </Button>
      {onTrigger && !refused && (
        <Menu align="end" label="Ways to run again" trigger={<IconButton className="desk" kind="primary" icon={ChevronDown} label="Ways to run again" />}>
          <MenuItem onSelect={onRerun} icon={RotateCw} keys="r">
            With the same inputs
          </MenuItem>
          <MenuItem onSelect={onTrigger} icon={RotateCw}>
            {asked ? "With other values…" : "With the latest inputs"}
          </MenuItem>
        </Menu>
      )}
    </span>
  );
}
