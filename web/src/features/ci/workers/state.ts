import type { components } from "@/api/schema.gen";
import type { Status } from "@/ui/status";

export type Worker = components["schemas"]["CiWorker"];

/** Whether it takes builds; a worker that says what it lacks starts none. */
export function workerState({ state, message }: Pick<Worker, "state" | "message">): { status: Status; word: string } {
  return state === "running" && !message ? { status: "succeeded", word: "takes builds" } : { status: "errored", word: "starts nothing" };
}
