import type { Pipeline } from "../queries";
import { badStreak, buildAge } from "../state";

/** "ci #43 · 2 m 04 s": the newest build. */
export function latestLine(pipeline: Pick<Pipeline, "last_builds" | "running">, now: number): string {
  // A build that runs is the news even when a later one already waits behind it.
  const build = pipeline.last_builds.findLast(({ status }) => status === "started") ?? pipeline.last_builds.at(-1);
  return build ? `${build.job} #${build.name} · ${buildAge(build, now)}` : "never ran";
}

export type Note = { text: string; code?: boolean; title?: string };

/** The one more thing worth a look: who paused it, a streak of failures, else the commit. */
export function note(pipeline: Pick<Pipeline, "paused" | "paused_by" | "last_builds" | "last_change" | "archived">): Note {
  if (pipeline.archived) return { text: "archived" };
  if (pipeline.paused) return { text: pipeline.paused_by ? `by ${pipeline.paused_by}` : "paused" };
  const streak = badStreak(pipeline.last_builds);
  if (streak > 1) return { text: `${ordinal(streak)} in a row`, title: `The last ${streak} builds of this job ended badly` };
  const change = pipeline.last_change;
  if (change?.sha) return { text: change.sha.slice(0, 7), code: true, title: [change.message?.split("\n")[0], change.by && `by ${change.by}`].filter(Boolean).join(", ") };
  return { text: "" };
}

export function ordinal(value: number): string {
  const tens = value % 100;
  const suffix = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${value}${suffix}`;
}
