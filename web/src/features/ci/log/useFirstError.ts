import { useQuery } from "@tanstack/react-query";
import { plain } from "@/ui/ansi";
import { type Build, fetchLog, type LogLine } from "../queries";
import { looksBad } from "./text";

/** How far above a step's last line its reason is looked for: searching a million lines for many words takes seconds. */
const reach = 3000;

/** The first line near the end of the failing step that looks like the reason, else its last line; 0 when nothing failed. */
export function useFirstError(build: Build): number {
  const { failure } = build;
  const last = failure?.line ?? 0;
  const found = useQuery({
    queryKey: ["ci", "log", build.id, "first error", last],
    queryFn: async ({ signal }) => firstBad((await fetchLog(build.id, Math.max(1, last - reach + 1), Math.min(reach, last), signal)).lines, failure?.step),
    enabled: last > 0,
    staleTime: Infinity,
    retry: false,
  });
  if (last === 0 || found.isPending) return 0;
  return found.data || last;
}

/** The number of the first line of the step that looks like the reason; 0 when none does. */
export function firstBad(lines: LogLine[], step: string | undefined): number {
  return lines.find((line) => line.step === step && looksBad(plain(line.text)))?.n ?? 0;
}
