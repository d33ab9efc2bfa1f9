import { duration } from "@/format/duration";

/** A stretch of time as the address says it: "now-1h" and "now", or two instants. */
export type Range = { from: string; to: string };

/** The same, as milliseconds. */
export type Span = { from: number; to: number };

export const usual: Range = { from: "now-1h", to: "now" };

export const quick = [
  { from: "now-5m", label: "Last 5 minutes" },
  { from: "now-15m", label: "Last 15 minutes" },
  { from: "now-30m", label: "Last 30 minutes" },
  { from: "now-1h", label: "Last hour" },
  { from: "now-3h", label: "Last 3 hours" },
  { from: "now-6h", label: "Last 6 hours" },
  { from: "now-12h", label: "Last 12 hours" },
  { from: "now-24h", label: "Last 24 hours" },
  { from: "now-2d", label: "Last 2 days" },
  { from: "now-7d", label: "Last 7 days" },
  { from: "now-30d", label: "Last 30 days" },
] as const;

const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Reads an instant: "now", "now-90m", an ISO time, or seconds, milliseconds or nanoseconds since 1970. */
export function instant(text: string, now: number): number | undefined {
  const said = text.trim();
  if (said === "now") return now;
  const ago = /^(?:now)?-(\d+(?:\.\d+)?)([smhdw])$/.exec(said);
  if (ago) return now - Number(ago[1]) * (units[ago[2] as string] as number);
  if (/^\d{10}(\.\d+)?$/.test(said)) return Number(said) * 1000;
  if (/^\d{13}$/.test(said)) return Number(said);
  if (/^\d{19}$/.test(said)) return Math.floor(Number(said) / 1e6);
  if (!/^\d{4}-\d\d-\d\d/.test(said)) return undefined;
  const at = Date.parse(said.replace(/^(\d{4}-\d\d-\d\d) (?=\d)/, "$1T").replace(/ ?UTC$/i, "Z"));
  return Number.isNaN(at) ? undefined : at;
}

/** What a range means now; the usual one where it cannot be read. */
export function resolve({ from, to }: Range, now: number): Span {
  const end = instant(to, now);
  const start = instant(from, now);
  if (start === undefined || end === undefined || start >= end) return { from: now - 3_600_000, to: now };
  return { from: start, to: end };
}

export const absolute = ({ from, to }: Span): Range => ({ from: new Date(Math.floor(from)).toISOString(), to: new Date(Math.ceil(to)).toISOString() });

/** Moves by half of its length. Nothing is sought beyond now: there a range that is relative again begins. */
export function shifted(span: Span, by: -1 | 1, now: number): Range {
  const half = (span.to - span.from) / 2;
  const moved = { from: span.from + by * half, to: span.to + by * half };
  if (by > 0 && moved.to >= now) return absolute({ from: now - 2 * half, to: now });
  return absolute(moved);
}

/** Twice as long around the same middle, not beyond now. */
export function zoomedOut(span: Span, now: number): Range {
  const length = span.to - span.from;
  const to = Math.min(span.to + length / 2, Math.max(now, span.to));
  return absolute({ from: to - 2 * length, to });
}

/** Two instants of a pasted text: "A to B", "A/B", "A – B", or a lone one with five minutes around it. */
export function pasted(text: string, now: number): Range | undefined {
  const parts = text
    .trim()
    .split(/\s+(?:to|until|–|—|-)\s+|\s*\/\s*|\s*\.\.\s*/)
    .filter(Boolean);
  const [first, second] = parts.map((part) => instant(part, now));
  if (parts.length === 1 && first !== undefined) return /^(now)?-/.test(text.trim()) ? { from: text.trim().replace(/^-/, "now-"), to: "now" } : absolute({ from: first - 300_000, to: first + 300_000 });
  if (parts.length !== 2 || first === undefined || second === undefined || first >= second) return undefined;
  return absolute({ from: first, to: second });
}

export const isRelative = ({ to }: Range) => to === "now";

/** The range in words for its button. */
export function rangeLabel(range: Range, now: number, utc: boolean): string {
  const known = range.to === "now" && quick.find(({ from }) => from === range.from);
  if (known) return known.label;
  const span = resolve(range, now);
  if (range.to === "now" && range.from.startsWith("now-")) return `Last ${duration((span.to - span.from) / 1000)}`;
  const sameDay = dayOf(span.from, utc) === dayOf(span.to, utc);
  const fine = span.to - span.from < 120_000;
  return `${dayOf(span.from, utc)} ${clock(span.from, utc, fine)} to ${sameDay ? "" : `${dayOf(span.to, utc)} `}${clock(span.to, utc, fine)}${utc ? " UTC" : ""}`;
}

const pad = (value: number, width = 2) => String(value).padStart(width, "0");

/** The date of an instant as "04-17". */
export function dayOf(at: number, utc: boolean): string {
  const date = new Date(at);
  return utc ? date.toISOString().slice(5, 10) : `${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** The clock of an instant: "14:00", with seconds "14:00:41". */
export function clock(at: number, utc: boolean, seconds = true, milliseconds = false): string {
  const date = new Date(at);
  const text = utc ? date.toISOString().slice(11, 23) : `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
  return text.slice(0, milliseconds ? 12 : seconds ? 8 : 5);
}

/** What a field for local times holds. */
export const localField = (at: number) => `${new Date(at).getFullYear()}-${dayOf(at, false)} ${clock(at, false)}`;
