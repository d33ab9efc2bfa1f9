import type { Status } from "@/ui/status";
import type { Connection } from "../queries";
import type { Repository } from "./queries";

/** Whether a connection is signed in, in words. */
export function signedIn({ kind, installation, error, login, tested_at: tested }: Pick<Connection, "kind" | "installation" | "error" | "login" | "tested_at">): { status: Status; word: string } {
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

/** The one thing to do about a repository's webhook. */
export const hookAct = ({ hook: { state } }: Pick<Repository, "hook">) => (({ none: "Create", foreign: "Take over", broken: "Mend", ours: "Remove" }) as const)[state];

/** Why GitHub would refuse that; false when it would not. */
export function hookRefusal({ hook, admin, archived }: Hooked): string | false {
  if (hook.state === "ours") return false;
  if (archived) return "The repository is archived: nothing happens there any more.";
  if (!admin) return "Only an administrator of the repository may set up webhooks, and this connection is none.";
  return false;
}
