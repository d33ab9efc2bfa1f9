import { plural } from "@/format/bytes";
import type { Cve } from "./queries";

/** "CVE-2026-1234" out of what was typed or pasted, such as a link to it; empty when there is none in it. */
export const cveIn = (typed: string): string => /CVE-\d{4}-\d{4,}/i.exec(typed)?.[0].toUpperCase() ?? "";

/** The answer in one sentence. */
export function cveWords({ id, fixes, open, fixed, unknown }: Pick<Cve, "id" | "fixes" | "open" | "fixed" | "unknown">): string {
  if (fixes.length === 0) return `No bundle mends ${id}, so nothing is known of it here.`;
  const dark = unknown > 0 ? `; ${plural(unknown, "node")} told nothing of ${unknown === 1 ? "its" : "their"} packages yet` : "";
  if (open.length === 0) return `No node carries ${id} any more; ${plural(fixed, "node")} ${fixed === 1 ? "has" : "have"} it mended${dark}.`;
  return `${plural(open.length, "node")} still ${open.length === 1 ? "carries" : "carry"} ${id}; ${plural(fixed, "node")} ${fixed === 1 ? "has" : "have"} it mended${dark}.`;
}
