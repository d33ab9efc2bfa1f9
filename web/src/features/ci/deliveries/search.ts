import { flag, oneOf, params, type Read, text } from "@/ui/schema";

/** What the address of the deliveries page says: which are listed, and the one that is open. */
export const deliveriesSearch = params({
  hook: text(),
  event: text(60),
  repository: text(200),
  sender: text(100),
  verdict: oneOf(["accepted", "refused"]),
  state: oneOf(["waiting", "done", "failed", "none"]),
  gap: flag(),
  q: text(100),
  before: text(),
  delivery: text(),
});

export type DeliveriesSearch = Read<typeof deliveriesSearch>;

/** Nothing of the filters: what "Show all" leaves. */
export const unfiltered = { hook: undefined, event: undefined, repository: undefined, sender: undefined, verdict: undefined, state: undefined, gap: undefined, q: undefined, before: undefined } as const;

/** Whether fewer than all are listed. */
export const isFiltered = (search: DeliveriesSearch) => (Object.keys(unfiltered) as (keyof typeof unfiltered)[]).some((key) => Boolean(search[key]));

/** How many filters besides the words to find are set: what a folded bar says. */
export const narrowed = (search: DeliveriesSearch) => (["hook", "event", "repository", "sender", "verdict", "state", "gap"] as const).filter((key) => Boolean(search[key])).length;
