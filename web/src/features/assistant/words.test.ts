import { expect, it } from "vitest";
import type { Run } from "./queries";
import { byDay, effort, statusOf } from "./words";

const run = (started_at: string, more: Partial<Run> = {}) => ({ started_at, status: "answered", calls: 2, milliseconds: 40, ...more }) as Run;

it("groups runs by day", () => {
  const now = new Date("2026-04-17T12:00:00");
  const groups = byDay([run("2026-04-17T08:00:00"), run("2026-04-16T23:00:00"), run("2026-04-10T08:00:00")], now);
  expect(groups.map(({ title, runs }) => [title, runs.length])).toEqual([["Today", 1], ["Yesterday", 1], ["Earlier", 1]]);
});

it("says what a run took", () => {
  expect(effort(run(""))).toBe("2 look-ups · 40 ms");
  expect(effort(run("", { calls: 0, milliseconds: 2345 }))).toBe("nothing looked up · 2.3 s");
  expect(statusOf(run("", { status: "refused" }))).toBe("skipped");
});
