import { duration } from "@/format/duration";

const bundle = 25 * 1024;

/** What a cap of kB a second means for those at the site. */
export function capWords(kbps: number): string {
  if (kbps <= 0) return "Empty: what the server's configuration says.";
  const megabits = (kbps * 1024 * 8) / 1e6;
  return `${megabits.toFixed(megabits < 10 ? 1 : 0)} Mbit/s for all its nodes together: 25 MB in ${duration(bundle / kbps)}.`;
}

const ofDay = /^\s*([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-4]):([0-5]\d)\s*$/;

/** What hours mean for those at the site. */
export function hoursWords(hours: string, timezone: string): string {
  if (!hours.trim()) return "Empty: at any time, or when a policy says. What is fetched already goes on to be installed.";
  const read = ofDay.exec(hours);
  if (!read) return "From and to, such as 20:00-06:00.";
  const [from = 0, fromMinutes = 0, to = 0, toMinutes = 0] = read.slice(1).map(Number);
  const minutes = to * 60 + toMinutes - from * 60 - fromMinutes;
  const length = minutes <= 0 ? minutes + 1440 : minutes;
  return `${duration(length * 60)} of each day${minutes < 0 ? ", over midnight" : ""}, by the clock of ${timezone.trim() || "UTC"}.`;
}
