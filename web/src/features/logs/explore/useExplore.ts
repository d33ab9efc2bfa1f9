import { useCallback, useMemo, useState } from "react";
import { useUrlState } from "@/ui/useUrlState";
import type { Asked } from "../queries";
import { type Change, columnsOf, exploreSearch } from "./address";
import { remember } from "./history";
import { absolute, type Range, resolve, shifted, usual, zoomedOut } from "./range";
import { withoutTerm, withTerm } from "./terms";

/** Everything the explore page is asked, and the ways to ask otherwise. */
export function useExplore(team: string) {
  const [search, setUrl] = useUrlState(exploreSearch);
  // What "now" meant when this was asked: the histogram, the rows and the counts speak of the same stretch.
  const [at, setAt] = useState(() => Date.now());
  const query = search.q ?? "";
  const { from, to } = search;
  const range: Range = useMemo(() => ({ from: from ?? usual.from, to: to ?? usual.to }), [from, to]);
  const span = useMemo(() => resolve(range, at), [range, at]);
  const asked: Asked = useMemo(() => ({ team, query, ...absolute(span) }), [team, query, span]);

  const set = useCallback(
    (change: Change, how: { push?: boolean } = {}) => {
      if ("q" in change || "from" in change || "to" in change) setAt(Date.now());
      setUrl(change, how);
    },
    [setUrl],
  );
  const ask = useCallback((next: string) => set({ q: next.trim() || undefined, line: undefined }, { push: true }), [set]);
  /** What somebody typed is remembered, what was put together by pressing is not. */
  const run = useCallback(
    (next: string) => {
      remember(team, next.trim());
      ask(next);
    },
    [team, ask],
  );
  const setRange = useCallback(({ from, to }: Range) => set({ from: from === usual.from && to === usual.to ? undefined : from, to: to === usual.to ? undefined : to }, { push: true }), [set]);
  const again = useCallback(() => setAt(Date.now()), []);
  return {
    team,
    search,
    set,
    query,
    range,
    span,
    asked,
    at,
    columns: columnsOf(search),
    oldest: search.order === "oldest",
    utc: search.clock === "utc",
    run,
    ask,
    again,
    setRange,
    narrow: (condition: string) => ask(withTerm(query, condition)),
    widen: (condition: string) => ask(withoutTerm(query, condition)),
    shift: (by: -1 | 1) => setRange(shifted(span, by, Date.now())),
    zoomOut: () => setRange(zoomedOut(span, Date.now())),
  };
}

export type Explore = ReturnType<typeof useExplore>;
