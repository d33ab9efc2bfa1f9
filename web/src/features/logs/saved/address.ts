import { type Range, usual } from "../explore/range";
import type { SavedSearch } from "./queries";

type Kept = Pick<SavedSearch, "query" | "from" | "to" | "columns">;

/** What is shown now, as it is kept. */
export type Shown = { query: string; range: Range; columns: string[] };

/** What the address of the explore page says for a search that was kept. */
export function searchOf({ query, from, to, columns }: Kept): Record<string, string> {
  return {
    ...(query ? { q: query } : {}),
    ...(from && from !== usual.from ? { from } : {}),
    ...(to && to !== usual.to ? { to } : {}),
    ...(columns.length > 0 ? { cols: columns.join(",") } : {}),
  };
}

/** What is kept of what is shown; `range` with the times that it names, which are relative or not. */
export const keptOf = ({ query, range, columns }: Shown): Kept => ({ query, from: range.from, to: range.to, columns });

/** Whether a search that was kept is just what is shown. */
export function isShown(kept: Kept, shown: Shown): boolean {
  const { query, range, columns } = shown;
  return kept.query === query && (kept.from || usual.from) === range.from && (kept.to || usual.to) === range.to && kept.columns.join(",") === columns.join(",");
}
