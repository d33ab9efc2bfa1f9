import { plural } from "@/format/bytes";
import type { Status } from "@/ui/status";
import type { Hook } from "../queries";

type Told = Pick<Hook, "alive" | "state" | "problem" | "last_delivery_at" | "last_ping_at" | "gap">;

/** Whether GitHub tells this server what happens, in words. */
export function life({ alive, state, problem, last_delivery_at: delivered, last_ping_at: pinged, gap }: Told): { status: Status; word: string } {
  if (state === "broken") return { status: "failed", word: problem || "GitHub refuses it" };
  if (state === "waiting") return { status: "running", word: problem || "being set up at GitHub" };
  if (alive) return { status: "succeeded", word: "alive" };
  if (gap.missing > 0) return { status: "errored", word: "deliveries are missing" };
  if (delivered || pinged) return { status: "errored", word: "silent for a day; its resources are polled" };
  return { status: "pending", word: "waits for the first" };
}

/** What comparing with GitHub's own list found. */
export function gapLine({ possible, missing, recovered, last_compared_at: compared, error }: Hook["gap"]): string {
  if (!possible) return "not compared: set up by hand";
  if (error) return error;
  const back = recovered > 0 ? `${plural(recovered, "delivery", "deliveries")} recovered` : "";
  if (missing > 0) return [`${plural(missing, "delivery", "deliveries")} missing`, back].filter(Boolean).join(", ");
  if (back) return back;
  return compared ? "none" : "not compared yet";
}
