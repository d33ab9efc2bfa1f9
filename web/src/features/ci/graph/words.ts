import { duration } from "@/format/duration";
import type { GraphResource, Job } from "../queries";
import { buildAge, currentBuild, medianSeconds } from "../state";

/** The second line of a job: "#43 · 2 m 04 s of ~6 m", "#58 · 3 h ago", "paused by bob", "waits: …", "never ran". */
export function jobLine(job: Job, now: number): string {
  const build = currentBuild(job);
  if (build?.status === "started") {
    const median = medianSeconds(job.last_builds);
    return `#${build.name} · ${buildAge(build, now)}${median ? ` of ~${duration(Math.round(median))}` : ""}`;
  }
  if (job.paused) return job.paused_by ? `paused by ${job.paused_by}` : "paused";
  if (build?.status === "pending") {
    const [why] = job.waiting;
    return why ? `#${build.name} waits: ${lowerFirst(why)}` : `#${build.name} · ${buildAge(build, now)}`;
  }
  return build ? `#${build.name} · ${buildAge(build, now)}` : "never ran";
}

const lowerFirst = (text: string) => text.slice(0, 1).toLowerCase() + text.slice(1);

/** What must be said about resources: the remote's own words. */
export function failedChecks(resources: GraphResource[]): GraphResource[] {
  return resources.filter((resource) => Boolean(resource.check_error));
}

/** Jobs with a build that has not begun, and why. A paused pipeline says it once, above everything. */
export function waitingJobs(jobs: Job[], pipelinePaused: boolean): { job: Job; sentences: string[] }[] {
  return jobs
    .map((job) => ({ job, sentences: job.waiting.filter((sentence) => !(pipelinePaused && sentence === "The pipeline is paused.")) }))
    .filter(({ sentences }) => sentences.length > 0);
}
