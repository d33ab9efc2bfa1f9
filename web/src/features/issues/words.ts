import type { Status } from "@/ui/status";
import type { Activity, IssueItem, IssueTerms } from "./queries";

/** The badge beside a title: what is unusual about the issue, if anything. */
export function badge({ state, substate }: Pick<IssueItem, "state" | "substate">): { word: string; kind?: "new" | "warn" } | undefined {
  if (state === "resolved" || state === "archived") return { word: state };
  if (substate === "new") return { word: "new", kind: "new" };
  if (substate === "regressed" || substate === "escalating") return { word: substate, kind: "warn" };
  return undefined;
}

/** The glyph of an issue: how bad it is, or that it is done with. */
export function issueGlyph({ state, level }: Pick<IssueItem, "state" | "level">): Status {
  if (state === "resolved") return "succeeded";
  if (state === "archived") return "paused";
  return levelGlyph(level);
}

export function levelGlyph(level: string | undefined): Status {
  if (level === "error" || level === "fatal") return "failed";
  if (level === "warning") return "errored";
  return "skipped";
}

/** Until when a state holds, as the end of a sentence. */
export function termsWords(terms: IssueTerms | undefined): string {
  switch (terms?.kind) {
    case "in_release":
      return `in ${terms.release}`;
    case "in_next_release":
      return terms.release ? `in the release after ${terms.release}` : "in the next release";
    case "in_commit":
      return `in commit ${terms.commit?.slice(0, 8)}`;
    case "until_time":
      return `until ${terms.until?.slice(0, 16).replace("T", " ")} UTC`;
    case "until_events":
      return `until it happens ${terms.events} more times${terms.window ? ` within ${terms.window} min` : ""}`;
    case "until_users":
      return `until it hits ${terms.users} more users`;
    case "until_escalating":
      return "until it escalates";
    case "forever":
      return "forever";
    default:
      return "";
  }
}

const deeds: Record<string, (detail: string) => string> = {
  new: (release) => (release ? `First seen in ${release}` : "First seen"),
  regressed: (release) => (release ? `Came back in ${release}` : "Came back"),
  escalating: () => "Happens more often than before",
  resolved: (how) => (how ? `resolved it ${how}` : "resolved it"),
  unresolved: () => "opened it again",
  archived: (how) => (how ? `archived it ${how}` : "archived it"),
  assigned: (who) => `gave it to ${who}`,
  unassigned: () => "took it from its owner",
  merged: (what) => `merged ${what || "another issue"} into it`,
  unmerged: (what) => `split off ${what || "a part of it"}`,
  comment: (text) => text || "wrote a comment",
  feedback: () => "A user wrote what they did",
};

/** What happened, in words. Details that are terms as data are told by their kind. */
export function deed({ kind, detail }: Pick<Activity, "kind" | "detail">): string {
  return (deeds[kind] ?? (() => kind))(plainDetail(detail));
}

function plainDetail(detail: string): string {
  if (!detail.startsWith("{")) return detail;
  try {
    return termsWords(JSON.parse(detail) as IssueTerms);
  } catch {
    return "";
  }
}

/** A distance in time as short as a column is narrow: "2 m", "26 h", "13 d". */
export function age(at: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - new Date(at).getTime()) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A release that is named by its whole commit, as short as people say it. */
export const shortRelease = (version: string) => (/^[0-9a-f]{40}$/.test(version) ? version.slice(0, 12) : version);
