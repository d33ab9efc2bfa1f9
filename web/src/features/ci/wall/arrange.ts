import type { Status } from "@/ui/status";
import type { BuildSummary, Pipeline } from "../queries";
import { pipelineStatus } from "../state";
import type { WallSearch } from "./search";

export type Group = { name: string; pipelines: Pipeline[] };

const rest = "Other";

/**
 * Groups of the list: pipelines that share a name are instances and stand under it; others stand under their first
 * word where at least two share it. The team's order is kept.
 */
export function arrange(pipelines: Pipeline[]): Group[] {
  const named = tally(pipelines.map((pipeline) => pipeline.name));
  const words = tally(pipelines.filter((pipeline) => !isInstance(pipeline, named)).map(firstWord));
  const groups = new Map<string, Pipeline[]>();
  for (const pipeline of pipelines) {
    const word = firstWord(pipeline);
    const group = isInstance(pipeline, named) ? pipeline.name : (words.get(word) ?? 0) > 1 ? word : rest;
    groups.set(group, [...(groups.get(group) ?? []), pipeline]);
  }
  const made = [...groups].map(([name, members]) => ({ name, pipelines: members }));
  return [...made.filter((group) => group.name !== rest), ...made.filter((group) => group.name === rest)];
}

function isInstance(pipeline: Pipeline, named: Map<string, number>): boolean {
  return Boolean(pipeline.instance_vars) || (named.get(pipeline.name) ?? 0) > 1;
}

const firstWord = (pipeline: Pipeline) => pipeline.name.split(/[-_./: ]/)[0] ?? pipeline.name;

function tally(words: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** Whether somebody should look: a job's last build ended badly. Paused pipelines do not nag. */
export function isFailing(pipeline: Pipeline): boolean {
  return !pipeline.paused && (pipeline.status === "failed" || pipeline.status === "errored");
}

/** What the address asks for, pinned ones first. */
export function visible(pipelines: Pipeline[], { show, group }: Pick<WallSearch, "show" | "group">, pins: ReadonlySet<number>): Pipeline[] {
  const members = group ? (arrange(pipelines).find(({ name }) => name === group)?.pipelines ?? []) : pipelines;
  const wanted = members.filter((pipeline) => (show === "pinned" ? pins.has(pipeline.id) : show === "failing" ? isFailing(pipeline) : true));
  return [...wanted.filter(({ id }) => pins.has(id)), ...wanted.filter(({ id }) => !pins.has(id))];
}

const words: Partial<Record<Status, string>> = { running: "running", failed: "failing", errored: "errored", aborted: "aborted", pending: "waiting", paused: "paused" };

/** "14 in acme · 1 running, 2 failing, 1 errored, 1 waiting" */
export function totals(pipelines: Pipeline[], team: string): string {
  const counts = new Map<Status, number>();
  for (const pipeline of pipelines) {
    const status = pipelineStatus(pipeline);
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const said = (Object.keys(words) as Status[]).filter((status) => counts.has(status)).map((status) => `${counts.get(status)} ${words[status]}`);
  const all = pipelines.length > 0 && said.length === 0 ? "all well" : said.join(", ");
  return [`${pipelines.length || "none"} in ${team}`, all].filter(Boolean).join(" · ");
}

/** The newest builds of every pipeline together, oldest first. */
export function newestBuilds(pipelines: Pipeline[], count: number): BuildSummary[] {
  return pipelines
    .flatMap((pipeline) => pipeline.last_builds)
    .sort((a, b) => a.id - b.id)
    .slice(-count);
}
