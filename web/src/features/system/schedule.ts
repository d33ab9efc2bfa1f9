import { plural } from "@/format/bytes";
import type { BackupSettings } from "./queries";

const known = new Map([
  [0, "never by itself"],
  [1, "every hour"],
  [6, "every 6 hours"],
  [12, "twice a day"],
  [24, "daily"],
  [168, "weekly, on Mondays"],
]);

const often = (hours: number): string => known.get(hours) ?? `every ${plural(hours, "hour")}`;

/** The pauses to choose from, with the one that is set even where it is none of the usual. */
export function pauses(now: number): { value: string; label: string }[] {
  const hours = [...new Set([...known.keys(), now])].sort((a, b) => a - b);
  return hours.map((value) => ({ value: String(value), label: often(value).replace(/^./, (letter) => letter.toUpperCase()) }));
}

/** "02:30" of the 150th minute of a day. */
export function atClock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** The minute of the day of "02:30"; midnight for what is no time. */
export function minuteOf(clock: string): number {
  const [hours, minutes] = clock.split(":").map(Number);
  const minute = (hours ?? 0) * 60 + (minutes ?? 0);
  return Number.isInteger(minute) && minute >= 0 && minute < 1440 ? minute : 0;
}

/** "daily at 02:30 UTC, the newest 7 stay". */
export function said({ every_hours, at_minute, keep, rehearse }: BackupSettings): string {
  if (every_hours === 0) return "none is made by itself";
  return `${often(every_hours)}, counted from ${atClock(at_minute)} UTC; the newest ${keep} stay${rehearse ? ", each is rehearsed" : ""}`;
}
