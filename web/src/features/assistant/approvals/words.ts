import type { Status } from "@/ui/status";
import type { Approval } from "./queries";

const forms: Record<Approval["state"], { status: Status; word: string }> = {
  pending: { status: "paused", word: "Waits for a person" },
  approved: { status: "running", word: "Approved" },
  running: { status: "running", word: "Runs" },
  done: { status: "succeeded", word: "Done" },
  failed: { status: "failed", word: "Failed" },
  denied: { status: "aborted", word: "Denied" },
  expired: { status: "skipped", word: "Expired" },
};

/** The form and the word of where an approval stands. */
export const standing = (state: Approval["state"]) => forms[state];

const places: Record<string, string> = { web: "in the browser", cli: "in the terminal", slack: "in Slack", mcp: "through an MCP client", api: "through the API" };

/** Where it was asked for. */
export const askedIn = (surface: string) => places[surface] ?? `in ${surface}`;

/** What it would do, in one line. */
export const headline = ({ title, target }: Pick<Approval, "title" | "target">) => (target ? `${title}: ${target}` : title);

/** What became of it, in one sentence. */
export function ending({ state, decided_by: by, reason }: Pick<Approval, "state" | "decided_by" | "reason">): string {
  switch (state) {
    case "pending":
      return "Nothing has been done. It expires by itself.";
    case "denied":
      return `${by} denied it${reason ? `: ${reason}` : ""}. Nothing was done.`;
    case "expired":
      return "Nobody decided in time. Nothing was done.";
    case "done":
      return `${by} approved it, and it was done in their name.`;
    case "failed":
      return `${by} approved it, and it failed.`;
    default:
      return `${by} approved it; it runs now.`;
  }
}
