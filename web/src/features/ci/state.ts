import { duration } from "@/format/duration";
import { relativeTime } from "@/format/time";
import type { Bar } from "@/ui/RunStrip";
import type { Status } from "@/ui/status";
import { isOver, shownStatus } from "./build/steps";
import type { BuildSummary, GraphResource, Job, Pipeline } from "./queries";

/** The one state a pipeline is shown with: stopped by people first, then what runs, then how its jobs ended. */
export function pipelineStatus(pipeline: Pick<Pipeline, "paused" | "archived" | "running" | "status">): Status {
  if (pipeline.archived) return "skipped";
  if (pipeline.paused) return "paused";
  if (pipeline.running > 0) return "running";
  return shownStatus(pipeline.status);
}

/** The state of a job: a build that runs shows even when the job was paused after it began. */
export function jobStatus(job: Pick<Job, "paused" | "latest_build" | "next_build">): Status {
  const current = currentBuild(job);
  if (current?.status === "started") return "running";
  if (job.paused) return "paused";
  return current ? shownStatus(current.status) : "pending";
}

/** The build to look at: the one that runs or waits, else the latest that ended. */
export function currentBuild(job: Pick<Job, "latest_build" | "next_build">): BuildSummary | undefined {
  return job.next_build ?? job.latest_build ?? undefined;
}

/** Bars of a run strip: how each build ended, as high as it took long. */
export function bars(builds: BuildSummary[], now: number): Bar[] {
  return builds.map((build) => ({ status: shownStatus(build.status), value: seconds(build, now) }));
}

/** How long a build has run, in seconds; 0 before it began. */
export function seconds(build: Pick<BuildSummary, "started_at" | "ended_at">, now: number): number {
  if (!build.started_at) return 0;
  const end = build.ended_at ? Date.parse(build.ended_at) : now;
  return Math.max(0, (end - Date.parse(build.started_at)) / 1000);
}

/** The median length of the last ten that succeeded; undefined when none did. */
export function medianSeconds(builds: BuildSummary[]): number | undefined {
  const lengths = builds
    .filter((build) => build.status === "succeeded" && build.started_at && build.ended_at)
    .slice(-10)
    .map((build) => seconds(build, 0))
    .sort((a, b) => a - b);
  return lengths[Math.floor((lengths.length - 1) / 2)];
}

/** "2 m 04 s" while it runs, "queued 2 m" while it waits, "3 h ago" once it ended. */
export function buildAge(build: Pick<BuildSummary, "status" | "created_at" | "started_at" | "ended_at">, now: number): string {
  if (build.status === "started") return duration(Math.round(seconds(build, now)));
  if (build.status === "pending") return `queued ${duration(Math.max(0, Math.round((now - Date.parse(build.created_at)) / 1000)))}`;
  return relativeTime(build.ended_at ?? build.created_at, now);
}

/** How many of the newest builds of one job ended badly in a row, the newest first. */
export function badStreak(builds: BuildSummary[]): number {
  const newest = builds.findLast((build) => isOver(build.status));
  if (!newest) return 0;
  const ended = builds.filter((build) => build.job_id === newest.job_id && isOver(build.status)).reverse();
  const good = ended.findIndex((build) => build.status !== "failed" && build.status !== "errored");
  return good === -1 ? ended.length : good;
}

/** A version in the few characters that fit a pill: a short commit or digest, the day of a time, else the first value. */
export function shortVersion(version: Record<string, string> | null | undefined): string {
  const entries = Object.entries(version ?? {});
  if (entries.length === 0) return "";
  const [name, value] = entries.find(([key]) => ["ref", "digest", "version", "number", "tag", "time"].includes(key)) ?? entries[0] ?? ["", ""];
  if (/^[0-9a-f]{40,64}$/.test(value)) return value.slice(0, 7);
  if (value.startsWith("sha256:")) return value.slice(7, 14);
  if (name === "time" && !Number.isNaN(Date.parse(value))) return new Date(value).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  return value;
}

/** Every part of a version: "ref: 7c1e…, branch: main". */
export function fullVersion(version: Record<string, string> | null | undefined): string {
  return Object.entries(version ?? {})
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");
}

/** What the remote said, without the frame that the script of a resource puts around it. */
export function remoteWords(error: string): string {
  const [, said] = error.split(/\bstderr:\s*/);
  return (said ?? error).trim() || error;
}

export const checkFails = (resource: Pick<GraphResource, "check_error">) => Boolean(resource.check_error);
