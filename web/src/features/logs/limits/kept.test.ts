import { expect, it } from "vitest";
import { daysShown, forecastWords, squeezed, sum } from "./kept";

const now = Date.parse("2026-04-17T12:00:00Z");
const day = (name: string, disk = 1) => ({ day: name, lines: 10, raw: disk * 8, disk });

it("shows a place for each day that is kept, today last", () => {
  const shown = daysShown({ days: [day("2026-04-15", 5), day("2026-04-17", 3)], retention: { days: 30, bytes: 0 } }, now);
  expect(shown).toHaveLength(30);
  expect(shown.at(-1)).toMatchObject({ day: "2026-04-17", disk: 3 });
  expect(shown.at(-2)).toMatchObject({ day: "2026-04-16", disk: 0 });
  expect(shown.at(-3)?.disk).toBe(5);
});

it.each([
  [1, 7],
  [0, 7],
  [400, 60],
])("kept %d days take %d places", (days, places) => expect(daysShown({ days: [], retention: { days, bytes: 0 } }, now)).toHaveLength(places));

it("adds days up", () => expect(sum([day("a", 2), day("b", 3)])).toEqual({ disk: 5, raw: 40, lines: 20 }));

it.each([
  [{ days: 30, bytes: 0 }, null, "Days go after 30 days"],
  [{ days: 30, bytes: 20e9 }, null, "Days go after 30 days; at the rate of this week 20 GB are enough for that"],
  [{ days: 30, bytes: 20e9 }, 1, "At the rate of this week 20 GB are used up in 1 day; then the oldest days go before their age"],
  [{ days: 30, bytes: 20e9 }, 0, "20 GB are used up: each new day drives the oldest out"],
  [{ days: 0, bytes: 0 }, null, "Days go by their size alone"],
])("tells when days go: %j, %j", (retention, left, words) => expect(forecastWords({ retention, forecast_days: left })).toBe(words));

it.each([
  [800, 100, "8.0 × smaller"],
  [100, 100, undefined],
  [0, 0, undefined],
])("%d bytes as %d on disk are %s", (raw, disk, words) => expect(squeezed(raw, disk)).toBe(words));
