import { Bell, Bug, GitCommitHorizontal, GitPullRequest, type LucideIcon, Package, Rocket, Server, Tag, Workflow } from "lucide-react";
import type { Status } from "@/ui/status";
import type { Happening } from "./queries";

const tones: Record<Happening["tone"], Status | undefined> = { good: "succeeded", bad: "failed", warn: "errored", plain: undefined };

/** The form of a state, where what happened is good or bad news. */
export const toneStatus = (tone: Happening["tone"]) => tones[tone];

const icons: Record<string, LucideIcon> = {
  push: GitCommitHorizontal,
  pull_request: GitPullRequest,
  release: Tag,
  deploy: Rocket,
  build: Workflow,
  error: Bug,
  alert: Bell,
  rollout: Server,
  bundle: Package,
  node: Server,
};

export const kindIcon = (kind: string) => icons[kind] ?? Bell;

/** What a timeline can be narrowed to, in the order of the thread, with the capabilities that know of it. */
export const kinds = [
  { value: "push", label: "Pushes", of: ["push", "pull_request"], capability: "ci" },
  { value: "build", label: "Builds", of: ["build"], capability: "ci" },
  { value: "release", label: "Releases", of: ["release", "deploy"], capability: "ci,issues" },
  { value: "error", label: "Errors", of: ["error"], capability: "issues" },
  { value: "alert", label: "Alerts", of: ["alert"], capability: "issues,logs" },
  { value: "rollout", label: "Rollouts and bundles", of: ["rollout", "bundle"], capability: "edge" },
  { value: "node", label: "Nodes", of: ["node"], capability: "edge" },
  { value: "ci", label: "All of pipelines", of: undefined, capability: "ci" },
  { value: "issues", label: "All of issues", of: undefined, capability: "issues" },
  { value: "logs", label: "All of logs", of: undefined, capability: "logs" },
  { value: "edge", label: "All of edge", of: undefined, capability: "edge" },
] as const;

export const kindNames = kinds.map(({ value }) => value) as [string, ...string[]];

/** The capabilities that know of a kind; undefined asks all. */
export const capabilityOf = (kind: string | undefined) => kinds.find(({ value }) => value === kind)?.capability;

/** The events of one of those kinds; all of them where none is chosen. */
export function ofKind(events: Happening[], kind: string | undefined): Happening[] {
  const chosen = kinds.find(({ value }) => value === kind);
  if (!chosen) return events;
  const of: readonly string[] | undefined = chosen.of;
  return events.filter((event) => (of ? of.includes(event.kind) : chosen.capability === event.capability));
}

/** The days of a list of events, newest first, each with its events. */
export function byDay(events: Happening[], dayOf: (at: string) => string): { day: string; events: Happening[] }[] {
  const days: { day: string; events: Happening[] }[] = [];
  for (const event of events) {
    const day = dayOf(event.at);
    const last = days.at(-1);
    if (last?.day === day) last.events.push(event);
    else days.push({ day, events: [event] });
  }
  return days;
}
