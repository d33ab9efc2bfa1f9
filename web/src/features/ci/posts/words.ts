import { plural } from "@/format/bytes";
import type { Status } from "@/ui/status";
import type { Post } from "./queries";

export const kindWords: Record<Post["kind"], string> = { status: "Commit status", check: "Check run", comment: "Comment" };

/** Where a post stands, in words. */
export function standing({ state, attempts, error }: Pick<Post, "state" | "attempts" | "error">): { status: Status; word: string } {
  switch (state) {
    case "waiting":
      return { status: "pending", word: "waits for its first attempt" };
    case "retrying":
      return { status: "errored", word: `tried ${plural(attempts, "time")}${error ? `: ${error}` : ""}` };
    case "posted":
      return { status: "succeeded", word: "shown at GitHub" };
    case "failed":
      return { status: "failed", word: `given up after ${plural(attempts, "attempt")}${error ? `: ${error}` : ""}` };
  }
}
