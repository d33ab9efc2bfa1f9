import { plural } from "@/format/bytes";
import type { Status } from "@/ui/status";
import type { Delivery } from "../queries";

type Told = Pick<Delivery, "verdict" | "state" | "error" | "repeats" | "attempts" | "event">;

/** What became of a delivery, in words; `repeats` counts how often it came. */
export function verdict({ verdict: said, state, error, repeats, attempts, event }: Told): { status: Status; word: string } {
  if (said === "refused") return { status: "failed", word: repeats > 1 ? `refused, ${repeats} times` : "refused" };
  if (state === "waiting") return { status: "pending", word: attempts > 1 ? `waits for attempt ${attempts + 1}` : "waiting" };
  if (state === "failed") return { status: "errored", word: `given up after ${plural(attempts, "attempt")}` };
  if (state === "none") return { status: "skipped", word: event === "ping" ? "answered" : "nothing to do" };
  if (error) return { status: "errored", word: error };
  return { status: "succeeded", word: repeats > 1 ? `done, came ${repeats} times` : "done" };
}
