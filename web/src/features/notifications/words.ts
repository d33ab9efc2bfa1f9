import type { Status } from "@/ui/status";
import { plural } from "@/format/bytes";
import type { Channel, ChannelDelivery, ChannelEvent, ChannelKind, Manner, Message, Rule, Span } from "./queries";

/** The ways a channel can tell, in the order they are offered. */
export const kinds: { kind: ChannelKind; word: string; means: string }[] = [
  { kind: "mail", word: "Mail", means: "To addresses, by the SMTP server of this installation" },
  { kind: "slack", word: "Slack", means: "To a channel, by an incoming webhook" },
  { kind: "webhook", word: "Webhook", means: "A signed JSON document to an address of yours" },
  { kind: "github", word: "GitHub", means: "An issue in a repository; what comes later about the same is a comment on it" },
];

const otherKinds: Record<string, string> = { github_issue: "GitHub issue" };

export const kindWord = (kind: string) => kinds.find((one) => one.kind === kind)?.word ?? otherKinds[kind] ?? kind;

/** What can be told, in the words of people. */
export const events: { event: ChannelEvent; word: string; means: string }[] = [
  { event: "build.failed", word: "A build failed", means: "with its last lines" },
  { event: "build.errored", word: "A build errored", means: "it could not be run" },
  { event: "build.fixed", word: "A job is green again", means: "after it failed" },
  { event: "approval.requested", word: "Somebody has to approve", means: "a build or a rollout waits for a person" },
  { event: "rollout.paused", word: "A rollout has paused", means: "by itself, because nodes failed or its bundle was withdrawn" },
  { event: "rollout.failed", word: "A rollout ended badly", means: "nodes failed, its deadline is over, or it was aborted" },
  { event: "rollout.finished", word: "A rollout is done", means: "on every node" },
  { event: "node.lost", word: "Nodes are lost", means: "not heard of for a day" },
  { event: "node.returned", word: "Lost nodes are back", means: "those that come within five minutes in one message" },
  { event: "node.doubled", word: "A node may be in two places", means: "a number of its requests was used twice" },
];

/** What concerns the whole installation; administrators choose it. */
export const adminEvents: typeof events = [{ event: "backup.failed", word: "A backup failed", means: "or its rehearsal did" }];

/** Rules that name their channels themselves, as what may pass quiet hours. */
export const ruleEvents = [
  { event: "issues.alert", word: "Alerts about errors" },
  { event: "logs.alert", word: "Alerts about lines" },
  { event: "github.rule", word: "Rules about GitHub" },
];

const short: Record<ChannelEvent, string> = {
  "build.failed": "failed", "build.errored": "errored", "build.fixed": "fixed", "approval.requested": "approvals",
  "rollout.paused": "rollouts paused", "rollout.failed": "rollouts failed", "rollout.finished": "rollouts done", "node.lost": "nodes lost", "node.returned": "nodes back", "node.doubled": "nodes doubled", "backup.failed": "backups failed",
};

/** "failed, errored · web, api" */
export function told({ events: chosen, pipelines }: Pick<Channel, "events" | "pipelines">): string {
  if (chosen.length === 0) return "only what rules send here";
  const which = pipelines.length === 0 ? "all pipelines" : pipelines.length > 3 ? plural(pipelines.length, "pipeline") : pipelines.join(", ");
  return `${chosen.map((event) => short[event]).join(", ")} · ${which}`;
}

const heldWords = { quiet: "held by the quiet hours", limit: "held by the limit", group: "held with more of the same" };

type Fate = Pick<ChannelDelivery, "state" | "attempts" | "error"> & Partial<Pick<Message, "held_for" | "more">>;

/** What became of a message. */
export function fate({ state, attempts, error, held_for: why, more }: Fate): { status: Status; word: string } {
  if (state === "sent") return { status: "succeeded", word: attempts > 1 ? `sent at attempt ${attempts}` : "sent" };
  if (state === "failed") return { status: "failed", word: attempts === 0 ? "not sent" : `given up after ${plural(attempts, "attempt")}` };
  if (state === "held") return { status: "paused", word: `${why ? heldWords[why] : "held"}${more ? `, with ${more} more` : ""}` };
  if (state === "grouped") return { status: "skipped", word: "told with others" };
  return error ? { status: "errored", word: `failed, tried again (${attempts})` } : { status: "pending", word: "on its way" };
}

/** "4 h", "90 min" */
export const minutesWord = (n: number) => (n >= 60 && n % 60 === 0 ? `${n / 60} h` : `${n} min`);

const dayWords = { mon: "Mon", tue: "Tue", wed: "Wed", thu: "Thu", fri: "Fri", sat: "Sat", sun: "Sun" };
export const days = Object.entries(dayWords).map(([day, word]) => ({ day: day as Span["days"][number], word }));

/** "22:00–07:00 Mon, Tue" */
export function spanWord({ days: on, from, to }: Span): string {
  const hours = from === to ? (from === "00:00" ? "all day" : `${from} for a day`) : `${from}–${to}`;
  if (on.length === 0 || on.length === 7) return hours;
  const sorted = days.map(({ day }) => day).filter((day) => on.includes(day));
  const first = days.findIndex(({ day }) => day === sorted[0]);
  const run = sorted.length > 2 && sorted.every((day, at) => days[first + at]?.day === day);
  return `${hours} ${run ? `${dayWords[sorted[0] ?? "mon"]}–${dayWords[sorted.at(-1) ?? "sun"]}` : sorted.map((day) => dayWords[day]).join(", ")}`;
}

/** How often and when a channel tells, in one line; empty when each message goes at once. */
export function mannerWord({ group_minutes: group, limit, limit_minutes: within, quiet }: Manner): string {
  const parts: string[] = [];
  if (group > 0) parts.push(`same in one per ${minutesWord(group)}`);
  if (limit > 0) parts.push(`${limit} per ${minutesWord(within)}`);
  if (quiet.spans.length > 0) parts.push(`quiet ${quiet.spans.map(spanWord).join(", ")}${quiet.zone ? ` ${quiet.zone}` : " UTC"}`);
  return parts.join(" · ");
}

/** How a rule stands, what needs somebody first. */
export function standing({ enabled, problem, held, muted_until: muted, firing, to }: Rule, now: number): { status: Status; word: string } {
  if (!enabled) return { status: "paused", word: "off" };
  if (problem) return { status: "errored", word: "in trouble" };
  if (muted && new Date(muted).getTime() > now) return { status: "paused", word: "muted" };
  if (held > 0) return { status: "deferred", word: `${held} held` };
  if (firing) return { status: "failed", word: "firing" };
  if (to.length === 0) return { status: "skipped", word: "tells nobody" };
  return { status: "succeeded", word: "on" };
}

const capabilityWords: Record<string, string> = { ci: "Pipelines", issues: "Issues", logs: "Logs", assistant: "Assistant", edge: "Edge", system: "System" };

export const capabilityWord = (word: string) => capabilityWords[word] ?? word;

/** Addresses as people type them: separated by commas, blanks or lines. */
export const listed = (text: string) => text.split(/[\s,;]+/).filter(Boolean);

/** "07:00", or with its day when that is another one, on the reader's clock. */
export function clock(at: string, now: number): string {
  const then = new Date(at);
  const time = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return then.toDateString() === new Date(now).toDateString() ? time : `${then.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" })} ${time}`;
}

/** Those that a capability and a text select. */
export function ofRules(rules: Rule[], { capability, q = "" }: { capability?: string; q?: string }): Rule[] {
  const text = q.trim().toLowerCase();
  return rules.filter((rule) => (!capability || rule.capability === capability) && (!text || [rule.name, rule.watches, ...rule.to.map(({ name }) => name)].some((one) => one.toLowerCase().includes(text))));
}
