import { expect, it } from "vitest";
import { layOut } from "./chart";
import type { AlertCondition } from "./queries";

const at = (minute: number) => new Date(Date.parse("2026-04-17T12:00:00Z") + minute * 60_000).toISOString();
const points = [4, 12, null, 0].map((value, minute) => ({ at: at(minute), value }));
const threshold: AlertCondition = { kind: "threshold", query: "", minutes: 5, op: ">", value: 10 };

it("draws values, the limit, and when it would have been firing", () => {
  const chart = layOut({ points, step_ms: 60_000, firings: [{ subject: "", at: at(1), ended_at: at(2), value: 12, why: "" }] }, threshold);
  expect(chart?.bars.map(({ x, height, met }) => [x, height, met])).toEqual([
    [0, 4 / 12.5, false],
    [0.25, 12 / 12.5, true],
    [0.75, 0, false],
  ]);
  expect(chart?.limit).toBeCloseTo(0.8);
  expect(chart?.spells).toEqual([{ x: 0.25, width: 0.25 }]);
});

it.each([
  [{ ...threshold, op: ">=" as const, value: 12 }, [false, true, false]],
  [{ ...threshold, op: "<" as const, value: 4 }, [false, false, true]],
  [{ ...threshold, op: "<=" as const, value: 4 }, [true, false, true]],
  [{ kind: "absence" as const, query: "", minutes: 5 }, [false, false, true]],
  [{ kind: "pattern" as const, query: "", minutes: 5 }, [true, true, false]],
])("knows which values meet %j", (condition, met) => expect(layOut({ points, step_ms: 60_000, firings: [] }, condition)?.bars.map((bar) => bar.met)).toEqual(met));

it("draws a spell that has not ended to the end, and nothing without values", () => {
  expect(layOut({ points, step_ms: 60_000, firings: [{ subject: "", at: at(3), value: 0, why: "" }] }, threshold)?.spells).toEqual([{ x: 0.75, width: 0.25 }]);
  expect(layOut({ points: [], step_ms: 60_000, firings: [] }, threshold)).toBeUndefined();
  expect(layOut({ points: [{ at: at(0), value: 0 }], step_ms: 60_000, firings: [] }, { kind: "absence", query: "", minutes: 5 })?.most).toBe(1);
});
