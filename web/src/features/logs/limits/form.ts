import { bytes, count, plural } from "@/format/bytes";
import type { Limits } from "./queries";

/** Limits while they are written: numbers as text, sizes in MB, nothing for what the installation says. */
export type Form = { days: string; megabytes: string; lines: string; daily: string };

const megabyte = 1_000_000;
const text = (value: number, unit = 1) => (value > 0 ? String(Math.round((value / unit) * 1000) / 1000) : "");
const number = (written: string, unit = 1) => Math.max(0, Math.round((Number(written) || 0) * unit));

export const formOf = (limits: Limits): Form => ({
  days: text(limits.retention_days),
  megabytes: text(limits.retention_bytes, megabyte),
  lines: text(limits.lines_per_second),
  daily: text(limits.bytes_per_day, megabyte),
});

export const limitsOf = ({ days, megabytes, lines, daily }: Form) => ({
  retention_days: number(days),
  retention_bytes: number(megabytes, megabyte),
  lines_per_second: number(lines),
  bytes_per_day: number(daily, megabyte),
});

/** What holds while nothing is entered, and what cannot be gone beyond. */
export function ceilingWords({ ceiling }: Pick<Limits, "ceiling">): { days: string; size: string } {
  return {
    days: ceiling.retention_days > 0 ? `This server keeps at most ${plural(ceiling.retention_days, "day")}.` : "This server keeps days for ever.",
    size: ceiling.retention_bytes > 0 ? `This server keeps at most ${bytes(ceiling.retention_bytes)}, as lines lie on disk.` : "This server knows no limit; counted as lines lie on disk.",
  };
}

/** How much of today's allowance is used, in words. */
export function todayWords({ today_bytes: size, today_lines: lines, bytes_per_day: most }: Pick<Limits, "today_bytes" | "today_lines" | "bytes_per_day">): string {
  const came = `${count(lines)} ${lines === 1 ? "line" : "lines"}, ${bytes(size)} came today`;
  return most > 0 ? `${came}: ${Math.round((size / most) * 100)} % of what may` : came;
}
