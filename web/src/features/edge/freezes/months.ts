import type { Freeze } from "./queries";

/** A day of the reader's own calendar. `inside` is false for days of the months around. */
export type Day = { from: Date; to: Date; number: number; inside: boolean };

export type Month = { title: string; key: string; weeks: Day[][] };

const pad = (value: number) => String(value).padStart(2, "0");

/** A month in weeks that begin on Monday. `offset` counts from the month of `now`. */
export function monthOf(now: Date, offset: number): Month {
  const first = new Date(now.getFullYear(), now.getMonth() + offset, 1);
  const before = (first.getDay() + 6) % 7;
  const days = new Date(first.getFullYear(), first.getMonth() + 1, 0).getDate();
  const weeks = Array.from({ length: Math.ceil((before + days) / 7) }, (_, week) =>
    Array.from({ length: 7 }, (_, weekday): Day => {
      const number = week * 7 + weekday - before + 1;
      const at = (day: number) => new Date(first.getFullYear(), first.getMonth(), day);
      return { from: at(number), to: at(number + 1), number: at(number).getDate(), inside: number >= 1 && number <= days };
    }),
  );
  return { title: first.toLocaleDateString("en-GB", { month: "long", year: "numeric" }), key: `${first.getFullYear()}-${pad(first.getMonth() + 1)}`, weeks };
}

/** The freezes that take a part of a day. */
export const freezesOn = (freezes: Freeze[], { from, to }: Pick<Day, "from" | "to">) => freezes.filter((freeze) => Date.parse(freeze.from) < to.getTime() && Date.parse(freeze.to) > from.getTime());

/** As a field for a date and a time wants it, on the reader's own clock. */
export const fieldTime = (at: Date) => `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`;

/** "26 Nov 2026, 00:00": an end of a freeze, on the reader's own clock. */
export const dayTime = (at: string) => new Date(at).toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

/** Whether a freeze holds, and when. */
export function standing({ from, to }: Pick<Freeze, "from" | "to">, now: number): { holds: boolean; word: string } {
  if (Date.parse(to) <= now) return { holds: false, word: "over" };
  return Date.parse(from) <= now ? { holds: true, word: "holds" } : { holds: false, word: "to come" };
}
