import { expect, it } from "vitest";
import { workerState } from "./state";

it.each([
  ["running", undefined, "succeeded"],
  ["running", "runc is missing", "errored"],
  ["stalled", "runc is missing", "errored"],
] as const)("a worker that is %s (%s) shows %s", (state, message, status) => expect(workerState({ state, message }).status).toBe(status));
