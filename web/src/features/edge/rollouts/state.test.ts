import { expect, it } from "vitest";
import { batchName, limitOf, parts, partsWords, rateWords, refusedVerb, touched } from "./state";

it("lets a verb be used only where the state allows it, and says why not", () => {
  const at = (state: "running" | "rolled-back" | "paused" | "completed", batch = 0) => ({ state, batch, batches: 2 });
  expect(refusedVerb("pause", at("running"))).toBe(false);
  expect(refusedVerb("pause", at("rolled-back"))).toBe("The rollout is rolled back.");
  expect(refusedVerb("resume", at("paused"))).toBe(false);
  expect(refusedVerb("proceed", at("running"))).toBe(false);
  expect(refusedVerb("proceed", at("running", 1))).toBe("It is at the last batch.");
  expect(refusedVerb("proceed", at("paused"))).toBe("The rollout is paused.");
  expect(refusedVerb("rollback", at("completed"))).toBe(false);
  expect(refusedVerb("approve", at("running"))).not.toBe(false);
});

it("draws failures first and waiting last", () => {
  const counts = { waiting: 2, succeeded: 6, failed: 2 };
  expect(parts(counts).map(({ state, share }) => [state, share])).toEqual([["failed", 0.2], ["succeeded", 0.6], ["waiting", 0.2]]);
  expect(partsWords(counts)).toBe("2 failed, 6 succeeded, 2 waiting");
  expect(parts({})).toEqual([]);
});

it("tells the rate only while something goes on", () => {
  const rollout = { ended_last_hour: 100, counts: { succeeded: 100, waiting: 200 }, total: 300, state: "running" as const };
  expect(rateWords(rollout)).toBe("100 an hour, about 2 h 00 m more");
  expect(rateWords({ ...rollout, state: "paused" })).toBe("");
  expect(rateWords({ ...rollout, ended_last_hour: 0 })).toBe("");
});

it("puts the stop line where the server pauses", () => {
  const threshold = { ended: 100, failed: 1, in_row: 0, failure_rate: "2%", min_samples: 50, consecutive: 0, any_exit: [], since: null };
  expect(limitOf(threshold)).toMatchObject({ stops: 3, failed: 1, words: "stops at 3 failures of 100, limit 2%" });
  expect(limitOf({ ...threshold, ended: 1, consecutive: 3, in_row: 1, any_exit: [3, 7] })?.words).toBe("stops at 2 failures of 50, limit 2%; or at 3 in a row, now 1; at once at exit 3 or 7");
  expect(limitOf({ ...threshold, failure_rate: "" })).toBeUndefined();
});

it("names batches and what a rollback touches", () => {
  expect([batchName({ number: 0, canary: true }), batchName({ number: 3, canary: false })]).toEqual(["Canary 1", "Batch 4"]);
  expect(touched({ succeeded: 4, installing: 1, waiting: 9 })).toBe(5);
});
