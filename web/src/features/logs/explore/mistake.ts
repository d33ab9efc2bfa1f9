import type { Problem } from "@/api/problem";

/** Where a query cannot be read, in characters, and why. */
export type Mistake = { from: number; to: number; message: string };

/** The place in the query that a refusal names; nothing if it is about something else. */
export function mistakeOf(problem: Problem): Mistake | undefined {
  const place = /^(\d+)-(\d+)$/.exec(problem.field("query") ?? "");
  if (!place) return undefined;
  const from = Number(place[1]);
  return { from, to: Math.max(from + 1, Number(place[2])), message: problem.detail ?? problem.title };
}
