import type { Status } from "@/ui/status";
import type { Rule, RuleMessage } from "./queries";

export type Occasion = { key: string; word: string; events: string[]; actions: string[] };

/** What rules are usually made for; anything else is named by GitHub's own words. */
export const occasions: Occasion[] = [
  { key: "review", word: "a review is requested", events: ["pull_request"], actions: ["review_requested"] },
  { key: "reviewed", word: "a pull request is reviewed", events: ["pull_request_review"], actions: ["submitted"] },
  { key: "opened", word: "a pull request is opened", events: ["pull_request"], actions: ["opened", "reopened"] },
  { key: "issue", word: "an issue is opened", events: ["issues"], actions: ["opened", "reopened"] },
  { key: "comment", word: "somebody comments", events: ["issue_comment"], actions: ["created"] },
  { key: "release", word: "a release is published", events: ["release"], actions: ["published"] },
  { key: "push", word: "somebody pushes", events: ["push"], actions: [] },
  { key: "any", word: "anything happens", events: ["*"], actions: [] },
];

const same = (one: string[], other: string[]) => one.length === other.length && one.every((word) => other.includes(word));

/** The usual occasion that these events and actions are, if they are one. */
export const occasionOf = ({ events, actions }: Pick<Rule, "events" | "actions">) => occasions.find((one) => same(one.events, events) && same(one.actions, actions));

/** "When a review is requested in acme/* on main": a rule up to its arrow. */
export function when(rule: Pick<Rule, "events" | "actions" | "repository" | "branch">): string {
  const what = occasionOf(rule)?.word ?? `GitHub tells of ${rule.events.join(" or ")}${rule.actions.length > 0 ? ` (${rule.actions.join(", ")})` : ""}`;
  const where = rule.repository ? ` in ${rule.repository}` : " in any repository";
  return `When ${what}${where}${rule.branch ? ` on ${rule.branch}` : ""}`;
}

/** What became of a message of a rule. */
export function fate({ state, error }: Pick<RuleMessage, "state" | "error">): { status: Status; word: string } {
  if (state === "sent") return { status: "succeeded", word: "sent" };
  if (state === "failed") return { status: "failed", word: "given up" };
  return error ? { status: "errored", word: "failed, tried again" } : { status: "pending", word: "on its way" };
}
