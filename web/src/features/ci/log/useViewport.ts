import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Layout } from "./blocks";

export const lineHeight = 18;

export type Pane = Virtualizer<HTMLDivElement, HTMLDivElement>;

/** The virtual list of a log: items are headings and groups of lines. In wrapped logs their heights are measured. */
export function usePane(layout: Layout, scroller: RefObject<HTMLDivElement | null>, wrap: boolean, headingHeight: number): Pane {
  "use no memo";
  const key = useCallback(
    (index: number) => {
      const item = layout.item(index);
      return item.kind === "heading" ? `h${item.block.first}` : `l${item.first}`;
    },
    [layout],
  );
  const size = (index: number) => {
    const item = layout.item(index);
    return item.kind === "heading" ? headingHeight : (item.last - item.first + 1) * lineHeight;
  };
  // eslint-disable-next-line react-hooks/incompatible-library -- the compiler is told to leave this function alone
  const pane = useVirtualizer<HTMLDivElement, HTMLDivElement>({ count: layout.count, getScrollElement: () => scroller.current, estimateSize: size, getItemKey: key, overscan: 1 });
  useLayoutEffect(() => pane.measure(), [pane, wrap, headingHeight]);
  return pane;
}

/** Where a line begins, from the top of the log; exact where nothing is wrapped. */
export function offsetOf(pane: Pane, layout: Layout, line: number): number {
  const index = layout.indexOf(line);
  const item = layout.item(index);
  const start = pane.measurementsCache[index]?.start ?? 0;
  return item.kind === "lines" ? start + (Math.max(line, item.first) - item.first) * lineHeight : start;
}

/**
 * Keeps the end in sight while following. Scrolling up stops it and remembers how long the log was; scrolling back to the
 * end starts it again while the log grows.
 */
export function useTail(scroller: RefObject<HTMLDivElement | null>, total: number, height: number, begin: boolean, growing: boolean) {
  const [following, setFollowing] = useState(begin);
  // A log that was over when it was opened has nothing new, wherever it is read.
  const [live] = useState(growing);
  const [stoppedAt, setStoppedAt] = useState<number | null>(null);
  if (stoppedAt === null && !following && total > 0) setStoppedAt(total);
  const last = useRef(0);
  const pinned = useRef(begin);

  useLayoutEffect(() => {
    pinned.current = following;
    const pane = scroller.current;
    if (!following || !pane) return;
    pane.scrollTo({ top: pane.scrollHeight });
    last.current = pane.scrollTop;
  }, [scroller, following, total, height]);

  const latest = useRef(total);
  useEffect(() => {
    latest.current = total;
  });

  const onScroll = () => {
    const pane = scroller.current;
    if (!pane) return;
    const up = pane.scrollTop < last.current - 1;
    const left = pane.scrollHeight - pane.clientHeight - pane.scrollTop;
    last.current = pane.scrollTop;
    if (pinned.current && up && left > 24) {
      pinned.current = false;
      setFollowing(false);
      setStoppedAt(total);
    } else if (!pinned.current && !up && left < 4 && growing) {
      pinned.current = true;
      setFollowing(true);
    } else if (!pinned.current && left < 4) {
      setStoppedAt(total);
    }
  };

  const follow = useCallback((on: boolean) => {
    setFollowing(on);
    if (!on) setStoppedAt(latest.current);
  }, []);
  return { following, follow, onScroll, fresh: following || !live ? 0 : Math.max(0, total - (stoppedAt ?? total)) };
}
