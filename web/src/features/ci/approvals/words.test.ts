import { expect, it } from "vitest";
import { outcome } from "./words";

it.each([
  ["approved", "ann", "succeeded", "approved by ann"],
  ["rejected", "bob", "failed", "rejected by bob"],
  ["rejected", "", "failed", "rejected"],
  ["expired", "", "errored", "nobody decided in time"],
  ["withdrawn", "", "aborted", "the build ended first"],
  ["waiting", "", "paused", "waits"],
] as const)("%s by %s", (state, decided_by, status, word) => expect(outcome({ state, decided_by })).toEqual({ status, word }));
