import type { Status } from "@/ui/status";
import type { Connection, Hook } from "../queries";
import type { Repository } from "./queries";

/** Whether a connection is signed in, in words. */
export function signedIn({ kind, installation, state, error, login, tested_at: tested }: Pick<Connection, "kind" | "installation" | "state" | "error" | "login" | "tested_at">): { status: Status; word: string } {
  if (state === "removed") return { status: "failed", word: "uninstalled" };
  if (state === "suspended") return { status: "errored", word: "suspended" };
  if (error) return { status: "failed", word: error };
  if (kind === "app" && !installation) return { status: "errored", word: "no installation chosen" };
  if (login) return { status: "succeeded", word: `as ${login}` };
  return tested ? { status: "succeeded", word: "answers" } : { status: "pending", word: "not tested" };
}

type Hooked = Pick<Repository, "hook" | "admin" | "archived">;

/** What is at GitHub for a repository, in words. */
export function hookState({ hook: { state, problem } }: Pick<Repository, "hook">): { status: Status; word: string } {
  switch (state) {
    case "ours":
      return { status: "succeeded", word: "set up" };
    case "broken":
      return { status: "failed", word: problem || "broken" };
    case "foreign":
      return { status: "errored", word: problem || "entered by hand" };
    case "none":
      return { status: "skipped", word: "none" };
  }
}

/** What came of asking GitHub for the webhook of a repository or organization. */
export function ensured(place: string, { state, problem }: Pick<Hook, "state" | "problem">): { text: string; kind?: "bad" } {
  if (state === "broken") return { text: `GitHub refused the webhook of ${place}. ${problem}`, kind: "bad" };
  if (state === "waiting") return { text: `GitHub is asked again for the webhook of ${place}. ${problem}` };
  return { text: `${place} tells this server what happens from now on` };
}

/** The one thing to do about the webhook of a repository or organization. */
export const hookAct = ({ hook: { state } }: Pick<Repository, "hook">) => (({ none: "Create", foreign: "Take over", broken: "Mend", ours: "Remove" }) as const)[state];

/** Why GitHub would refuse that; false when it would not. */
export function hookRefusal({ hook, admin, archived }: Hooked): string | false {
  if (hook.state === "ours") return false;
  if (archived) return "The repository is archived: nothing happens there any more.";
  if (!admin) return "Only an administrator of the repository may set up webhooks, and this connection is none.";
  return false;
}
