import { useQuery } from "@tanstack/react-query";
import { plain } from "@/ui/ansi";
import type { Build } from "../queries";
import { logFindQuery } from "../queries";
import { errorWords, looksBad } from "./text";

/** The first line of the failing step that looks like the reason, else its last line; 0 when nothing failed. */
export function useFirstError(build: Build): number {
  const { failure } = build;
  const found = useQuery({
    ...logFindQuery(build.id, { q: errorWords, regex: true, step: failure?.step, limit: 50 }),
    enabled: failure !== undefined && Boolean(failure.line),
    retry: false,
  });
  if (!failure?.line) return 0;
  if (found.isPending) return 0;
  return found.data?.matches.find((match) => looksBad(plain(match.text)))?.n ?? failure.line;
}
