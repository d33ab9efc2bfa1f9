import { expect, it } from "vitest";
import { capacity, disk, isLanding, pruneRefusal, whose, workerState } from "./state";

it.each([
  ["running", undefined, "succeeded", "takes builds", false],
  ["running", "runc is missing", "errored", "starts nothing", false],
  ["stalled", "runc is missing", "errored", "starts nothing", false],
  ["landing", undefined, "paused", "finishes, takes nothing new", true],
  ["landed", undefined, "paused", "landed", true],
] as const)("a worker that is %s (%s) shows %s", (state, message, status, word, landing) => {
  expect(workerState({ state, message })).toEqual({ status, word });
  expect(isLanding({ state })).toBe(landing);
});

it.each([
  [{ running: 2, containers: 5, limit: 8 }, 0.25, "2 of 8"],
  [{ containers: 5 }, 0, "5"],
  [{ running: 0, containers: 5, limit: 4 }, 0, "0 of 4"],
] as const)("capacity (%#)", (worker, value, word) => expect(capacity(worker)).toEqual({ value, word }));

it.each([
  [{}, undefined],
  [{ disk_used: 1_200_000_000 }, { value: 0, word: "1.2 GB" }],
  [{ disk_used: 5_000_000_000, disk_limit: 20_000_000_000 }, { value: 0.25, word: "5.0 GB of 20 GB" }],
] as const)("disk (%#)", (worker, said) => expect(disk(worker)).toEqual(said));

it.each([
  [{ build: { id: 7, number: "4", job: "deploy", pipeline: "web" } }, "web / deploy #4"],
  [{ build: { id: 7, number: "7" } }, "build 7"],
  [{ step: "repo" }, "check of repo"],
  [{}, "no build"],
] as const)("whose container (%#)", (container, said) => expect(whose(container)).toBe(said));

it.each([
  ["running", "Land w-1 first: builds use what is on its disk."],
  ["landing", "Land w-1 first: builds use what is on its disk."],
  ["landed", false],
  ["stalled", false],
] as const)("whether a worker that is %s can be pruned", (state, refused) => expect(pruneRefusal({ name: "w-1", state })).toBe(refused));
