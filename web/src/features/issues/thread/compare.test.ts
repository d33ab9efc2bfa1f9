import { expect, it } from "vitest";
import { compared, stretch } from "./compare";
import type { Health } from "./queries";

const health = (change: Partial<Health>): Health => ({ sessions: 0, crash_free: null, new_errors: 0, regressed: 0, hours: 24, errors: 0, per_hour: 0, users: 0, ...change });

it("says what got worse and what got better", () => {
  const rows = compared(health({ crash_free: 0.985, per_hour: 12.4, new_errors: 2, users: 7 }), health({ crash_free: 0.999, per_hour: 3.25, new_errors: 5, users: 7 }));
  expect(rows).toEqual([
    { name: "Crash-free", now: "98.50 %", before: "99.90 %", turn: "worse" },
    { name: "Errors per hour", now: "12", before: "3.3", turn: "worse" },
    { name: "New errors", now: "2", before: "5", turn: "better" },
    { name: "Came back", now: "0", before: "0", turn: undefined },
    { name: "Users affected", now: "7", before: "7", turn: undefined },
  ]);
});

it("compares nothing where there is nothing before", () => {
  expect(compared(health({ users: 3 }), undefined).map(({ before, turn }) => [before, turn])).toEqual(Array.from({ length: 5 }, () => ["–", undefined]));
});

it.each([
  [1, "their first hour"],
  [24, "their first 24 hours"],
  [2.6, "their first 3 hours"],
])("words %s hours", (hours, words) => expect(stretch(hours)).toBe(words));
