import { type RefObject, useCallback, useLayoutEffect, useRef, useState } from "react";
import type { Block, Layout } from "./blocks";
import type { LogState, LogStore } from "./store";
import { offsetOf, type Pane } from "./useViewport";

type Options = {
  pane: Pane;
  layout: Layout;
  scroller: RefObject<HTMLDivElement | null>;
  state: LogState;
  store: LogStore;
  open: (block: Block) => void;
  stopFollowing: () => void;
};

const patience = 2000;
/** So long must it stay in sight, because lines that are measured late push it away. */
const calmFrames = 4;

/**
 * Brings a line into sight: opens its block, scrolls, and corrects once the line is drawn and read, because heights of
 * wrapped lines are known only then. Whoever scrolls meanwhile is left alone.
 */
export function useReveal({ pane, layout, scroller, state, store, open, stopFollowing }: Options): (line: number) => void {
  const [target, setTarget] = useState<{ line: number; until: number; calm: number } | null>(null);
  const latest = useRef({ layout, open, stopFollowing });
  useLayoutEffect(() => {
    latest.current = { layout, open, stopFollowing };
  });

  useLayoutEffect(() => {
    const list = scroller.current;
    if (!list || !target) return undefined;
    const row = list.querySelector<HTMLElement>(`[data-n="${target.line}"]`);
    // Not scrollIntoView: that would move the page around the pane too.
    if (row) list.scrollBy({ top: middle(row) - middle(list) });
    else list.scrollTo({ top: offsetOf(pane, layout, target.line) - list.clientHeight / 2 });
    const settled = row && store.line(target.line) !== undefined && Math.abs(middle(row) - middle(list)) < list.clientHeight / 2;
    const done = settled && target.calm >= calmFrames;
    const frame = requestAnimationFrame(() =>
      setTarget((now) => {
        if (now !== target) return now;
        return done || performance.now() > target.until ? null : { ...target, calm: settled ? target.calm + 1 : 0 };
      }),
    );
    return () => cancelAnimationFrame(frame);
  }, [target, pane, layout, scroller, state.version, store]);

  useLayoutEffect(() => {
    const list = scroller.current;
    if (!list) return undefined;
    const leave = () => setTarget(null);
    for (const name of ["wheel", "touchstart", "keydown"] as const) list.addEventListener(name, leave, { passive: true });
    return () => {
      for (const name of ["wheel", "touchstart", "keydown"] as const) list.removeEventListener(name, leave);
    };
  }, [scroller]);

  return useCallback((line: number) => {
    const { layout: now, open: unfold, stopFollowing: stop } = latest.current;
    const block = now.blocks.findLast((one) => one.first <= line);
    stop();
    if (block && block.steps.length > 0) unfold(block);
    setTarget({ line, until: performance.now() + patience, calm: 0 });
  }, []);
}

function middle(element: HTMLElement): number {
  const { top, bottom } = element.getBoundingClientRect();
  return (top + bottom) / 2;
}
