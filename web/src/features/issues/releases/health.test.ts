import { expect, it } from "vitest";
import { floorOf, healthBars } from "./health";
import type { HealthHour } from "./queries";

const hour = (at: number, sessions: number, crashed: number): HealthHour => ({ hour: `h${at}`, sessions, errored: 0, crashed, abnormal: 0, crash_free: null });

it("joins hours from the newest backwards", () => {
  const bars = healthBars([hour(0, 4, 4), hour(1, 0, 0), hour(2, 0, 0), hour(3, 8, 1), hour(4, 2, 1)], 2);
  expect(bars).toEqual([
    { from: "h0", sessions: 4, crashed: 4, share: 0 },
    { from: "h1", sessions: 0, crashed: 0, share: null },
    { from: "h3", sessions: 10, crashed: 2, share: 0.8 },
  ]);
});

it("does not show a share below nothing", () => expect(healthBars([hour(0, 1, 2)])[0]?.share).toBe(0));

it.each([
  [[], 0.97],
  [[1, 0.999], 0.97],
  [[0.9, null], 0.89],
  [[0], 0],
])("bars of %j begin at %d", (shares, floor) => expect(floorOf(shares.map((share) => ({ from: "", sessions: 1, crashed: 0, share })))).toBe(floor));
