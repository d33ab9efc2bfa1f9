const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

type Instant = string | number | Date;

function asDate(at: Instant): Date {
  return at instanceof Date ? at : new Date(at);
}

/** How far from now, short: "now", "12 s ago", "3 h ago", "in 4 min"; beyond a week the day itself. */
export function relativeTime(at: Instant, now: Instant = Date.now()): string {
  const seconds = Math.round((asDate(now).getTime() - asDate(at).getTime()) / 1000);
  const distance = Math.abs(seconds);
  if (!Number.isFinite(distance)) return "unknown";
  if (distance < 5) return "now";
  if (distance >= 7 * day) return localDay(at, now);
  const amount = span(distance);
  return seconds < 0 ? `in ${amount}` : `${amount} ago`;
}

function span(seconds: number): string {
  if (seconds < minute) return `${seconds} s`;
  if (seconds < hour) return `${Math.floor(seconds / minute)} min`;
  if (seconds < day) return `${Math.floor(seconds / hour)} h`;
  return `${Math.floor(seconds / day)} d`;
}

/** How many seconds until the relative form of this instant can change. */
export function relativeTick(at: Instant, now: Instant = Date.now()): number {
  const distance = Math.abs(asDate(now).getTime() - asDate(at).getTime()) / 1000;
  if (distance < minute) return 1;
  return distance < hour ? 20 : 10 * minute;
}

function localDay(at: Instant, now: Instant): string {
  const date = asDate(at);
  const sameYear = date.getFullYear() === asDate(now).getFullYear();
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) });
}

const pad = (value: number, width = 2) => String(value).padStart(width, "0");

/** "2026-04-17 12:00:41 UTC": for copies, links and tips. */
export function utcTime(at: Instant): string {
  const date = asDate(at);
  if (Number.isNaN(date.getTime())) return "unknown";
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** "2026-04-17 14:00:41 +02:00": the reader's own clock. */
export function localTime(at: Instant): string {
  const date = asDate(at);
  if (Number.isNaN(date.getTime())) return "unknown";
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? "-" : "+";
  const zone = `${sign}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  const ymd = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${ymd} ${clockTime(at)} ${zone}`;
}

/** "14:00:41", or with milliseconds "14:00:41.120". */
export function clockTime(at: Instant, milliseconds = false): string {
  const date = asDate(at);
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return milliseconds ? `${clock}.${pad(date.getMilliseconds(), 3)}` : clock;
}
