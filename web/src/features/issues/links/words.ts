import type { Status } from "@/ui/status";
import type { Event, Frame, Issue } from "../queries";
import { fileUrl } from "../releases/words";

export type IssueLink = Issue["links"][number];
export type Suspect = Issue["suspect_commits"][number];

const states: Record<IssueLink["state"], [Status, string]> = {
  creating: ["running", "being created"],
  failed: ["failed", "failed"],
  open: ["pending", "open"],
  closed: ["succeeded", "closed"],
  unknown: ["skipped", "not looked at yet"],
};

export const linkState = ({ state }: Pick<IssueLink, "state">) => ({ status: states[state][0], word: states[state][1] });

/** "acme/shop#41", or the repository alone until it has a number. */
export const linkName = ({ repository, number }: Pick<IssueLink, "repository" | "number">) => (number > 0 ? `${repository}#${number}` : repository);

/** What an issue at GitHub begins with: what it is, how often, and the way back. */
export function githubBody(issue: Pick<Issue, "short_id" | "events" | "users" | "culprit">, stack: string, url: string): string {
  const facts = `${issue.events} events, ${issue.users} users${issue.culprit ? `, in \`${issue.culprit}\`` : ""}`;
  return [`[${issue.short_id}](${url}): ${facts}.`, ...(stack ? ["", "```", stack.slice(0, 8000), "```"] : [])].join("\n");
}

export type At = { repository: string; sha: string };

/** The line of a frame at the commit that was released; only for frames of one's own with a path in the repository. */
export function frameUrl({ in_app: own, filename, line }: Frame, at: At | undefined): string | undefined {
  return at && own && filename ? fileUrl(at.repository, at.sha, filename, line) : undefined;
}

/** The moment around an event, for its logs: 30 seconds before and after. */
export function around({ timestamp }: Pick<Event, "timestamp">): { from: string; to: string } {
  const at = Date.parse(timestamp);
  return { from: new Date(at - 30_000).toISOString(), to: new Date(at + 30_000).toISOString() };
}
