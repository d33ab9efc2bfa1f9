import type { components } from "@/api/schema.gen";
import { bytes } from "@/format/bytes";
import type { Status } from "@/ui/status";
import type { Container } from "./queries";

export type Worker = components["schemas"]["CiWorker"];

/** Whether it takes builds; a worker that says what it lacks starts none. */
export function workerState({ state, message }: Pick<Worker, "state" | "message">): { status: Status; word: string } {
  if (state === "landing") return { status: "paused", word: "finishes, takes nothing new" };
  if (state === "landed") return { status: "paused", word: "landed" };
  if (message || state === "stalled") return { status: "errored", word: "starts nothing" };
  return { status: "succeeded", word: "takes builds" };
}

/** Whether somebody asked it to take nothing new. */
export const isLanding = ({ state }: Pick<Worker, "state">) => state === "landing" || state === "landed";

/** Why nothing can be removed from it now; false when it can. */
export const pruneRefusal = ({ name, state }: Pick<Worker, "name" | "state">): string | false => state !== "landed" && state !== "stalled" && `Land ${name} first: builds use what is on its disk.`;

export type Gauge = { value: number; word: string };

/** "3 of 8", with the part of it; without a limit only the count. */
export function capacity({ running, containers, limit }: Pick<Worker, "running" | "containers" | "limit">): Gauge {
  const now = running ?? containers;
  return limit ? { value: now / limit, word: `${now} of ${limit}` } : { value: 0, word: String(now) };
}

/** "1.2 GB of 20 GB"; undefined where the worker does not know. */
export function disk({ disk_used: used, disk_limit: limit }: Pick<Worker, "disk_used" | "disk_limit">): Gauge | undefined {
  if (used === undefined) return undefined;
  return limit ? { value: used / limit, word: `${bytes(used)} of ${bytes(limit)}` } : { value: 0, word: bytes(used) };
}

/** What a container does, in the words that fly shows. */
export function containerState(state: string): { status: Status; word: string } {
  return { status: state === "running" ? "running" : "skipped", word: state };
}

/** "web / deploy #4"; a check has no build of a job. */
export function whose({ build, step }: Pick<Container, "build" | "step">): string {
  if (!build) return step ? `check of ${step}` : "no build";
  return build.pipeline && build.job ? `${build.pipeline} / ${build.job} #${build.number}` : `build ${build.number}`;
}
