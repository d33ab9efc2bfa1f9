import { expect, it } from "vitest";
import type { CheckIn } from "./queries";
import { checkInGlyph, checkInWord, marks, median, monitorGlyph, scheduleWords, stateGlyph, stateWords, stripOf, tookWords, wellShare } from "./words";

const run = (status: CheckIn["status"], took = 1000, at = "2026-04-17T11:00:00Z"): CheckIn => ({ id: 1, environment: "prod", status, late: false, duration_ms: took, release: "", started_at: at });

it.each([
  ["ok", "succeeded", "ok"],
  ["error", "failed", "failed"],
  ["missed", "aborted", "missed"],
  ["timeout", "errored", "took too long"],
  ["in_progress", "running", "running"],
] as const)("a check-in that is %s shows %s and says %s", (status, glyph, word) => {
  expect(checkInGlyph({ status })).toBe(glyph);
  expect(checkInWord({ status, late: false })).toBe(word);
});

it("says that a good run was late", () => expect(checkInWord({ status: "ok", late: true })).toBe("ok, late"));

it("is as bad as its worst place, and quiet when muted", () => {
  const state = (status: "waiting" | "ok" | "failing") => ({ environment: "", status, failures: 0, recent: [] });
  expect(monitorGlyph({ environments: [state("ok"), state("failing")], muted: false })).toBe("failed");
  expect(monitorGlyph({ environments: [state("ok"), state("failing")], muted: true })).toBe("paused");
  expect(monitorGlyph({ environments: [state("waiting"), state("ok")], muted: false })).toBe("succeeded");
  expect(monitorGlyph({ environments: [], muted: false })).toBe("pending");
  expect(stateGlyph({ status: "ok" }, true)).toBe("succeeded");
});

it.each([
  ["failing", 1, "failing"],
  ["failing", 4, "failing, 4 in a row"],
  ["waiting", 0, "waiting"],
  ["ok", 0, "ok"],
] as const)("%s with %d failures says %s", (status, failures, said) => expect(stateWords({ status, failures })).toBe(said));

it("draws a strip of outcomes, whose height is how long it took", () => {
  expect(stripOf([run("ok", 500), run("missed", -1)])).toEqual([{ status: "succeeded", value: 500 }, { status: "aborted", value: 0 }]);
  expect(tookWords(run("missed", -1))).toBe("–");
  expect(tookWords(run("ok", 41_000))).toBe("41 s");
  expect(scheduleWords({ schedule: "" })).toBe("no schedule");
});

it("puts check-ins on a line of time", () => {
  const now = Date.parse("2026-04-17T12:00:00Z");
  const list = [run("ok", 1, "2026-04-17T12:00:00Z"), run("ok", 1, "2026-04-17T06:00:00Z"), run("ok", 1, "2026-04-16T11:00:00Z")];
  expect(marks(list, now, 24).map(({ at }) => at)).toEqual([0.75, 1]);
});

it("knows the middle and the share of good runs", () => {
  expect(median([run("ok", 5), run("ok", 1), run("missed", -1), run("ok", 9)])).toBe(5);
  expect(median([run("missed", -1)])).toBeUndefined();
  expect(wellShare([run("ok"), run("error"), run("in_progress")])).toBe(0.5);
  expect(wellShare([])).toBeUndefined();
});
