import { expect, it } from "vitest";
import { fullHours, layers, marksOf } from "./layers";

it("puts layers on one another", () => expect(layers([[1, 2], [0, 3], [5, 0]])).toEqual([[1, 2], [1, 5], [6, 5]]));

it("fills the hours in which nothing came", () => {
  const now = Date.parse("2026-04-17T12:34:00Z");
  const { hours, values } = fullHours([{ hour: "2026-04-17T10:00:00Z", events: 3 }, { hour: "2026-04-17T12:00:00Z", events: 1 }], now, 4);
  expect(values).toEqual([0, 3, 0, 1]);
  expect(hours.at(-1)).toBe(Date.parse("2026-04-17T12:00:00Z") / 1000);
  expect(fullHours([], now).hours).toHaveLength(24);
  expect(fullHours([{ hour: "2026-01-01T00:00:00Z", events: 1 }], now).hours).toHaveLength(24 * 14);
});

it("marks what falls into the hours, and leaves out what would cover another", () => {
  const hours = Array.from({ length: 24 }, (_, at) => Date.parse("2026-04-17T00:00:00Z") / 1000 + at * 3600);
  const all = [{ at: "2026-04-17T06:00:00Z", label: "1.0" }, { at: "2026-04-17T12:00:00Z", label: "1.1" }, { at: "2026-04-17T12:30:00Z", label: "1.2" }, { at: "2026-04-10T00:00:00Z", label: "0.9" }];
  expect(marksOf(all, hours).map(({ label }) => label)).toEqual(["1.2", "1.0"]);
  expect(marksOf(all, [])).toEqual([]);
});
