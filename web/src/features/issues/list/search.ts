import { oneOfOr, params, type Read, text } from "@/ui/schema";

/** What is listed when nothing was typed. */
export const usualQuery = "is:unresolved";

/** What the address says about the list. */
export const listSearch = params({
  query: text(2000),
  project: text(),
  sort: oneOfOr(["last_seen", "first_seen", "events", "users"], "last_seen"),
});

export type ListSearch = Read<typeof listSearch>;
