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

/** The kinds that a timeline can be narrowed to, in the order of the thread. */
export const kinds = [
  { value: "push", label: "Pushes", of: ["push", "pull_request"] },
  { value: "build", label: "Builds", of: ["build"] },
  { value: "release", label: "Releases", of: ["release", "deploy"] },
  { value: "error", label: "Errors", of: ["error"] },
  { value: "alert", label: "Alerts", of: ["alert"] },
  { value: "edge", label: "Edge", of: ["rollout", "bundle", "node"] },
] as const;

/** The events of one of those kinds; all of them where none is chosen. */
export function ofKind(events: Happening[], kind: string | undefined): Happening[] {
  const chosen = kinds.find(({ value }) => value === kind);
  return chosen ? events.filter((event) => (chosen.of as readonly string[]).includes(event.kind)) : events;
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
