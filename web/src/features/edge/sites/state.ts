import { duration } from "@/format/duration";

const bundle = 25 * 1024;

/** What a cap of kB a second means for those at the site. */
export function capWords(kbps: number): string {
  if (kbps <= 0) return "Empty: what the server's configuration says.";
  const megabits = (kbps * 1024 * 8) / 1e6;
  return `${megabits.toFixed(megabits < 10 ? 1 : 0)} Mbit/s for all its nodes together: 25 MB in ${duration(bundle / kbps)}.`;
}
