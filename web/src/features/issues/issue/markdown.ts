import { utcTime } from "@/format/time";
import type { Event, Issue } from "../queries";
import { chain, rawStack } from "./frames";

/** An issue as people paste it into a chat: what, how often, where, and the stack. */
export function markdown(issue: Issue, event: Event | undefined, url: string): string {
  const facts = [
    `${issue.events} events, ${issue.users} users`,
    `first ${utcTime(issue.first_seen)}`,
    `last ${utcTime(issue.last_seen)}`,
    event?.environment && `environment ${event.environment}`,
    event?.release && `release ${event.release}`,
  ].filter(Boolean);
  const stack = event ? chain(event).map((error) => rawStack(error)).join("\nCaused by: ") : "";
  return [`**[${issue.short_id}](${url})** ${issue.title}`, "", facts.join(" · "), ...(issue.culprit ? ["", `in \`${issue.culprit}\``] : []), ...(stack ? ["", "```", stack, "```"] : []), ""].join("\n");
}
