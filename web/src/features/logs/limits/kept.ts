import { bytes, plural } from "@/format/bytes";
import type { Sizes } from "./queries";

export type Day = { day: string; lines: number; raw: number; disk: number };

const dayLength = 86_400_000;
const shownMost = 60;
const nothing = (day: string): Day => ({ day, lines: 0, raw: 0, disk: 0 });

/** The days of the chart, today last: one for each day that is kept, at least a week, at most two months. */
export function daysShown(kept: Pick<Sizes, "days" | "retention">, now: number): Day[] {
  const known = new Map(kept.days.map((day) => [day.day, day]));
  const oldest = kept.days[0] ? Math.round((now - Date.parse(kept.days[0].day)) / dayLength) : 0;
  const length = Math.min(shownMost, Math.max(7, kept.retention.days || oldest + 1));
  return Array.from({ length }, (_, at) => {
    const day = new Date(now - (length - 1 - at) * dayLength).toISOString().slice(0, 10);
    return known.get(day) ?? nothing(day);
  });
}

/** What all days take on disk, and how many there are. */
export function sum(days: Sizes["days"]): { disk: number; raw: number; lines: number } {
  return days.reduce((all, { disk, raw, lines }) => ({ disk: all.disk + disk, raw: all.raw + raw, lines: all.lines + lines }), { disk: 0, raw: 0, lines: 0 });
}

/** When days begin to go, in words. */
export function forecastWords({ retention, forecast_days: left }: Pick<Sizes, "retention" | "forecast_days">): string {
  const age = retention.days > 0 ? `Days go after ${plural(retention.days, "day")}` : "Days go by their size alone";
  if (left === null) return retention.bytes > 0 ? `${age}; at the rate of this week ${bytes(retention.bytes)} are enough for that` : age;
  if (left === 0) return `${bytes(retention.bytes)} are used up: each new day drives the oldest out`;
  return `At the rate of this week ${bytes(retention.bytes)} are used up in ${plural(left, "day")}; then the oldest days go before their age`;
}

/** How much smaller lines lie on disk than they came: "8.2 ×". */
export function squeezed(raw: number, disk: number): string | undefined {
  if (raw <= 0 || disk <= 0 || raw / disk < 1.05) return undefined;
  return `${(raw / disk).toFixed(1)} × smaller`;
}
