/** A length of time in seconds: "4 ms", "0.4 s", "41 s", "2 m 04 s", "1 h 02 m", "3 d 4 h". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const length = Math.max(0, seconds);
  if (length > 0 && length < 0.1) return `${Math.max(1, Math.round(length * 1000))} ms`;
  if (length < 10) return `${trim(length)} s`;
  const whole = Math.round(length);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

const two = (value: number) => String(value).padStart(2, "0");

function trim(value: number): string {
  return value === 0 ? "0" : value.toFixed(1).replace(/\.0$/, "");
}

/** Between two instants, or from one until now. */
export function between(start: string | number | Date, end?: string | number | Date | null, now: number = Date.now()): string {
  const until = end === undefined || end === null ? now : new Date(end).getTime();
  return duration((until - new Date(start).getTime()) / 1000);
}
