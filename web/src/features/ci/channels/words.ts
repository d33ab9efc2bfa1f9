import type { Status } from "@/ui/status";
import { plural } from "@/format/bytes";
import type { Channel, ChannelDelivery, ChannelEvent, ChannelKind } from "./queries";

/** The ways a channel can tell, in the order they are offered. */
export const kinds: { kind: ChannelKind; word: string; means: string }[] = [
  { kind: "mail", word: "Mail", means: "To addresses, by the SMTP server of this installation" },
  { kind: "slack", word: "Slack", means: "To a channel, by an incoming webhook" },
  { kind: "webhook", word: "Webhook", means: "A signed JSON document to an address of yours" },
];

export const kindWord = (kind: ChannelKind) => kinds.find((one) => one.kind === kind)?.word ?? kind;

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

const short: Record<ChannelEvent, string> = {
  "build.failed": "failed", "build.errored": "errored", "build.fixed": "fixed", "approval.requested": "approvals",
  "rollout.paused": "rollouts paused", "rollout.failed": "rollouts failed", "rollout.finished": "rollouts done", "node.lost": "nodes lost", "node.returned": "nodes back", "node.doubled": "nodes doubled",
};

/** "failed, errored · web, api" */
export function told({ events: chosen, pipelines }: Pick<Channel, "events" | "pipelines">): string {
  const which = pipelines.length === 0 ? "all pipelines" : pipelines.length > 3 ? plural(pipelines.length, "pipeline") : pipelines.join(", ");
  return `${chosen.map((event) => short[event]).join(", ")} · ${which}`;
}

/** What became of a message. */
export function fate({ state, attempts, error }: Pick<ChannelDelivery, "state" | "attempts" | "error">): { status: Status; word: string } {
  if (state === "sent") return { status: "succeeded", word: attempts > 1 ? `sent at attempt ${attempts}` : "sent" };
  if (state === "failed") return { status: "failed", word: `given up after ${plural(attempts, "attempt")}` };
  return error ? { status: "errored", word: `failed, tried again (${attempts})` } : { status: "pending", word: "on its way" };
}

/** Addresses as people type them: separated by commas, blanks or lines. */
export const listed = (text: string) => text.split(/[\s,;]+/).filter(Boolean);
