import { duration } from "@/format/duration";
import type { Bar } from "@/ui/RunStrip";
import type { Status } from "@/ui/status";
import type { CheckIn, Monitor, MonitorState } from "./queries";

const glyphs: Record<CheckIn["status"], Status> = { ok: "succeeded", error: "failed", timeout: "errored", missed: "aborted", in_progress: "running" };
const checkInWords: Record<CheckIn["status"], string> = { ok: "ok", error: "failed", timeout: "took too long", missed: "missed", in_progress: "running" };

export const checkInGlyph = ({ status }: Pick<CheckIn, "status">): Status => glyphs[status];
export const checkInWord = ({ status, late }: Pick<CheckIn, "status" | "late">): string => (late && status === "ok" ? "ok, late" : checkInWords[status]);

/** The strip of a monitor: height is how long a run took. */
export const stripOf = (recent: CheckIn[]): Bar[] => recent.map((one) => ({ status: checkInGlyph(one), value: Math.max(0, one.duration_ms) }));

const stateGlyphs: Record<MonitorState["status"], Status> = { waiting: "pending", ok: "succeeded", failing: "failed" };

/** How a monitor does in one place; one that nobody is told of is quiet, whatever it does. */
export function stateGlyph({ status }: Pick<MonitorState, "status">, muted = false): Status {
  return muted && status === "failing" ? "paused" : stateGlyphs[status];
}

/** The worst of all places. */
export function monitorGlyph({ environments, muted }: Pick<Monitor, "environments" | "muted">): Status {
  const worst = environments.find(({ status }) => status === "failing") ?? environments.find(({ status }) => status === "ok") ?? environments[0];
  return worst ? stateGlyph(worst, muted) : "pending";
}

export function stateWords({ status, failures }: Pick<MonitorState, "status" | "failures">): string {
  if (status === "waiting") return "waiting";
  if (status === "ok") return "ok";
  return failures > 1 ? `failing, ${failures} in a row` : "failing";
}

/** "every day", "*\/5 * * * * Europe/Oslo", or that nothing is expected. */
export const scheduleWords = ({ schedule }: Pick<Monitor, "schedule">): string => schedule || "no schedule";

export const tookWords = ({ duration_ms: took }: Pick<CheckIn, "duration_ms">): string => (took < 0 ? "–" : duration(took / 1000));

export type Mark = { checkIn: CheckIn; at: number };

/** Check-ins on a line of time: 0 is the beginning of the span, 1 is now. What lies outside is left out. */
export function marks(list: CheckIn[], now: number, hours: number): Mark[] {
  const span = hours * 3_600_000;
  return list
    .map((checkIn) => ({ checkIn, at: 1 - (now - Date.parse(checkIn.started_at)) / span }))
    .filter(({ at }) => at >= 0 && at <= 1)
    .sort((a, b) => a.at - b.at);
}

/** The middle of how long runs took, in milliseconds. */
export function median(list: Pick<CheckIn, "duration_ms">[]): number | undefined {
  const known = list.map(({ duration_ms: took }) => took).filter((took) => took >= 0).sort((a, b) => a - b);
  return known.length === 0 ? undefined : known[Math.floor(known.length / 2)];
}

/** Share of ended runs that were well. */
export function wellShare(list: Pick<CheckIn, "status">[]): number | undefined {
  const ended = list.filter(({ status }) => status !== "in_progress");
  return ended.length === 0 ? undefined : ended.filter(({ status }) => status === "ok").length / ended.length;
}
