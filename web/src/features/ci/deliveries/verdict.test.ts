import { expect, it } from "vitest";
import { deliveriesSearch, isFiltered, unfiltered } from "./search";
import { verdict } from "./verdict";

const told = { verdict: "accepted", state: "done", error: "", repeats: 1, attempts: 1, event: "push" } as const;

it.each([
  [{}, "succeeded", "done"],
  [{ repeats: 3 }, "succeeded", "done, came 3 times"],
  [{ verdict: "refused", state: "none" }, "failed", "refused"],
  [{ verdict: "refused", state: "none", repeats: 4 }, "failed", "refused, 4 times"],
  [{ state: "waiting" }, "pending", "waiting"],
  [{ state: "waiting", attempts: 2 }, "pending", "waits for attempt 3"],
  [{ state: "failed", attempts: 5 }, "errored", "given up after 5 attempts"],
  [{ state: "none", event: "ping" }, "skipped", "answered"],
  [{ state: "none" }, "skipped", "nothing to do"],
  [{ error: "no such branch" }, "errored", "no such branch"],
] as const)("%j", (change, status, word) => expect(verdict({ ...told, ...change })).toEqual({ status, word }));

it("reads the address as far as it is valid", () => expect(deliveriesSearch.parse({ hook: "h1", state: "odd", before: 7, delivery: "d" })).toEqual({ hook: "h1", before: "7", delivery: "d" }));

it("knows whether something is left out", () => {
  expect(isFiltered(deliveriesSearch.parse({ delivery: "d" }))).toBe(false);
  expect(isFiltered(deliveriesSearch.parse({ sender: "ann" }))).toBe(true);
  expect(isFiltered(deliveriesSearch.parse({ ...unfiltered, delivery: "d" }))).toBe(false);
});
