import { between } from "@/format/duration";
import type { Status } from "@/ui/status";
import type { BuildStatus, Step } from "../queries";

/** Builds say "started" as Concourse does; people read "running". */
export function shownStatus(status: BuildStatus | Step["status"]): Status {
  return status === "started" ? "running" : status;
}

export const isOver = (status: BuildStatus) => status !== "pending" && status !== "started";

/** A step as the tree shows it. */
export type Shown = { step: Step; kind: string; name: string; children: Shown[] };

const hooks = new Set(["on_success", "on_failure", "on_error", "on_abort", "ensure"]);

/**
 * The tree as people wrote it: a hook stands beside the step it belongs to and says what it is, where the plan has a node
 * around both; a timeout says its length at its step; attempts are counted.
 */
export function shownSteps(steps: Step[]): Shown[] {
  return steps.flatMap((step) => shown(step));
}

function shown(step: Step): Shown[] {
  const [inner, hook] = step.children;
  if (hooks.has(step.kind) && inner && hook) {
    const below = shown(hook);
    const [only] = below;
    const named = below.length === 1 && only ? [{ ...only, kind: step.kind, name: `${only.kind} ${only.name}`.trim() }] : [node(hook, step.kind, "", below)];
    return [...shown(inner), ...named];
  }
  if (step.kind === "timeout" && inner) {
    return shown(inner).map((child, at) => (at === 0 && step.name ? { ...child, name: `${child.name} (at most ${step.name})` } : child));
  }
  if (step.kind === "retry") {
    return [node(step, "attempts", "", step.children.flatMap((child, at) => shown(child).map((one) => ({ ...one, name: `${one.name} (${at + 1} of ${step.children.length})` }))))];
  }
  return [node(step, step.kind, step.name, shownSteps(step.children))];
}

const node = (step: Step, kind: string, name: string, children: Shown[]): Shown => ({ step, kind, name, children });

/** Every step of the tree, parents first. */
export function flatten(steps: Step[]): Step[] {
  return steps.flatMap((step) => [step, ...flatten(step.children)]);
}

/** How long a step took, "not run", or nothing while it waits. */
export function took(step: Step, now: number): string {
  if (step.status === "skipped") return "not run";
  if (!step.started_at) return "";
  return between(step.started_at, step.ended_at, now);
}

/** The first line of a step or of what is below it; 0 when it wrote none. */
export function firstLine(step: Step): number {
  if (step.line_first) return step.line_first;
  const below = step.children.map(firstLine).filter((line) => line > 0);
  return below.length > 0 ? Math.min(...below) : 0;
}

/** Why steps did not run: "image and shop-image did not run because test failed." */
export function notRun(steps: Step[]): string {
  const all = flatten(steps);
  const leaves = all.filter((step) => step.children.length === 0 && step.status === "skipped").map((step) => step.name || step.kind);
  const cause = all.find((step) => step.children.length === 0 && (step.status === "failed" || step.status === "errored" || step.status === "aborted"));
  if (leaves.length === 0 || !cause) return "";
  const most = leaves.length > 4 ? [...leaves.slice(0, 3), `${leaves.length - 3} more`] : leaves;
  const names = most.length === 1 ? most[0] : `${most.slice(0, -1).join(", ")} and ${most.at(-1)}`;
  return `${names} did not run because ${cause.name || cause.kind} ${cause.status === "aborted" ? "was aborted" : cause.status}.`;
}
