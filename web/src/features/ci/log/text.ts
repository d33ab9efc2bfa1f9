import { clockTime } from "@/format/time";
import { duration } from "@/format/duration";
import type { Piece } from "@/ui/ansi";

/** What the find field looks for; null when it is empty or no pattern that browsers understand. */
export function findPattern(text: string, regex: boolean): RegExp | null {
  if (!text) return null;
  try {
    return new RegExp(regex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi");
  } catch {
    return null;
  }
}

export type Marked = Piece & { hit?: boolean };

/** Parts pieces where the pattern begins and ends; a match may reach across styles. */
export function mark(pieces: Piece[], pattern: RegExp | null): Marked[] {
  if (!pattern || pieces.length === 0) return pieces;
  const spans: [number, number][] = [];
  for (const found of pieces.map((piece) => piece.text).join("").matchAll(pattern)) {
    if (found[0] !== "") spans.push([found.index, found.index + found[0].length]);
  }
  if (spans.length === 0) return pieces;
  const out: Marked[] = [];
  let at = 0;
  for (const piece of pieces) {
    const end = at + piece.text.length;
    let from = at;
    for (const [start, stop] of spans) {
      if (stop <= from || start >= end) continue;
      const [begin, until] = [Math.max(start, from), Math.min(stop, end)];
      if (begin > from) out.push({ ...piece, text: piece.text.slice(from - at, begin - at) });
      out.push({ ...piece, text: piece.text.slice(begin - at, until - at), hit: true });
      from = until;
    }
    if (from < end) out.push({ ...piece, text: piece.text.slice(from - at) });
    at = end;
  }
  return out;
}

/** Words by which a failing line is recognised. */
const errorPattern = /\b(errors?|fatal|panic|fail|failed|failures?|exception|traceback|expected|denied|not found|undefined)\b/i;
const harmless = /\b(0|no|without) (errors?|fail(ed|ures?)?)\b|\b(errors?|fail(ed|ures?)?)\s*[:=]\s*0\b/i;

/** Whether a line of a failing step looks like the reason. */
export function looksBad(text: string): boolean {
  return errorPattern.test(text) && !harmless.test(text);
}

/** "07:49:36.214" in UTC, or since the start of the build "0:36.214". */
export function lineTime(t: string, shown: "relative" | "utc", start: string | undefined): string {
  if (shown === "utc") return t.length >= 20 ? new Date(t).toISOString().slice(11, 23) : t;
  const since = new Date(t).getTime() - new Date(start ?? t).getTime();
  if (!Number.isFinite(since)) return "";
  const length = Math.abs(since);
  const hours = Math.floor(length / 3_600_000);
  const clock = `${Math.floor(length / 60_000) % 60}:${String(Math.floor(length / 1000) % 60).padStart(2, "0")}.${String(length % 1000).padStart(3, "0")}`;
  return `${since < 0 ? "-" : ""}${hours > 0 ? `${hours}:${clock.padStart(9, "0")}` : clock}`;
}

export const slowSeconds = 10;

/** The time since the line above: "+21.4 s"; nothing where it is too short to matter. */
export function delta(t: string, before: string | undefined): { text: string; slow: boolean } {
  const seconds = before === undefined ? 0 : (new Date(t).getTime() - new Date(before).getTime()) / 1000;
  if (!(seconds >= 0.1)) return { text: "", slow: false };
  return { text: `+${seconds < 100 ? `${seconds.toFixed(1)} s` : duration(seconds)}`, slow: seconds >= slowSeconds };
}

/** For the tip of a time: the reader's own clock. */
export const readersClock = (t: string) => `${clockTime(t, true)} here`;
