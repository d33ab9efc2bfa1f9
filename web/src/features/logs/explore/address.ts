import { flag, oneOf, oneOfOr, params, type Read, text, type Written } from "@/ui/schema";

/** What the address of the explore page says. */
export const exploreSearch = params({
  q: text(4000),
  from: text(40),
  to: text(40),
  order: oneOfOr(["newest", "oldest"], "newest"),
  tab: oneOf(["patterns", "fields"]),
  cols: text(1000),
  clock: oneOf(["utc"]),
  wrap: flag(),
  live: flag(),
  yesterday: flag(),
  line: text(80),
  field: text(200),
  facets: flag(),
  saved: text(80),
});

export type ExploreSearch = Read<typeof exploreSearch>;
export type Change = Partial<Written<typeof exploreSearch>>;
export type SetSearch = (change: Change, how?: { push?: boolean }) => void;

export const columnsOf = ({ cols }: Pick<ExploreSearch, "cols">) => (cols ? cols.split(",").filter(Boolean) : []);
