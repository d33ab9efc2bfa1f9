import type { Look } from "../looks";
import type { Token } from "../queries";

/** Whether a token still opens the door, and why not. */
export function tokenLook({ revoked_at: revoked, expires_at: expires, uses, max_uses: most }: Pick<Token, "revoked_at" | "expires_at" | "uses" | "max_uses">, now: number): Look {
  if (revoked) return { status: "aborted", word: "revoked" };
  if (uses >= most) return { status: "succeeded", word: "used up" };
  if (Date.parse(expires) <= now) return { status: "skipped", word: "expired" };
  return { status: "running", word: "open" };
}
