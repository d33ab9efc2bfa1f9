import { expect, it } from "vitest";
import { Problem } from "@/api/problem";
import { chartOf, ticks } from "./bars";
import { parts } from "./fields";
import { mistakeOf } from "./mistake";

const stats = { lines: 0, matched: 0, bytes: 0, segments: 0, took_ms: 0 };

it("stacks levels, the worst at the ground", () => {
  const chart = chartOf({
    step_ms: 60_000,
    total: 14,
    stats,
    bars: [
      { start: "2026-04-17T12:00:00Z", counts: { info: 6, error: 4 } },
      { start: "2026-04-17T12:01:00Z", counts: { warn: 4 } },
    ],
  });
  expect(chart.most).toBe(10);
  expect(chart.levels).toEqual([
    { level: "error", lines: 4 },
    { level: "warn", lines: 4 },
    { level: "info", lines: 6 },
  ]);
  expect(chart.bars[0]?.layers).toEqual([
    { level: "error", base: 0, height: 0.4 },
    { level: "info", base: 0.4, height: 0.6 },
  ]);
  expect(chart.bars[1]?.to).toBe(Date.parse("2026-04-17T12:02:00Z"));
});

it("puts ticks at round times", () => {
  const from = Date.parse("2026-04-17T12:03:00Z");
  const shown = ticks(from, from + 3_600_000, 8, true).map((at) => new Date(at).toISOString().slice(11, 16));
  expect(shown).toEqual(["12:10", "12:20", "12:30", "12:40", "12:50", "13:00"]);
});

it("cuts a text at the words that were found, whatever their case", () => {
  expect(parts("Connection refused (again)", ["refused", "(again"])).toEqual([
    { text: "Connection ", hit: false },
    { text: "refused", hit: true },
    { text: " ", hit: false },
    { text: "(again", hit: true },
    { text: ")", hit: false },
  ]);
});

it("reads where a query is wrong", () => {
  const refused = (message: string) => new Problem({ status: 400, title: "The request is not valid", detail: "This bracket is not closed.", fields: [{ field: "query", message }] });
  expect(mistakeOf(refused("3-5"))).toEqual({ from: 3, to: 5, message: "This bracket is not closed." });
  expect(mistakeOf(refused("3-3"))?.to).toBe(4);
  expect(mistakeOf(refused("must be shorter"))).toBeUndefined();
});
