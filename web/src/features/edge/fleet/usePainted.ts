import { type RefObject, useEffect, useRef } from "react";
import type { Layout } from "./grid";
import { type Painted, painting, standsAlike } from "./paint";

// Milliseconds of a frame that painting takes; the rest is for everything else.
const share = 4;

type Showing = { map: Layout; theme: number; scale: number; painted: Painted };

/**
 * Keeps a canvas showing a layout, over as many frames as that takes. Where groups stand as before, only what differs
 * is painted; else all of it is painted behind, and shown when it is whole.
 */
export function usePainted(canvas: RefObject<HTMLCanvasElement | null>, map: Layout, theme: number): void {
  const showing = useRef<Showing>(undefined);
  useEffect(() => {
    const shown = canvas.current;
    if (!shown || map.width === 0) return undefined;
    const scale = devicePixelRatio || 1;
    const now = showing.current;
    const ink = inkOf(shown);
    if (now && now.theme === theme && now.scale === scale && standsAlike(now.map, map)) {
      const pen = shown.getContext("2d");
      now.map = map;
      return pen ? inFrames(painting(pen, map, ink, now.painted)) : undefined;
    }
    const back = document.createElement("canvas");
    back.width = map.width * scale;
    back.height = (map.height + 4) * scale;
    const pen = penOf(back, scale);
    if (!pen) return undefined;
    const painted: Painted = [];
    return inFrames(painting(pen, map, ink, painted), () => {
      show(shown, back, map, scale);
      showing.current = { map, theme, scale, painted };
    });
  }, [canvas, map, theme]);
}

/** Does the steps of some work, a few milliseconds of each frame; gives what stops it. */
function inFrames(steps: Generator<undefined, void>, done?: () => void): () => void {
  let frame = 0;
  const work = () => {
    const until = performance.now() + share;
    while (performance.now() < until) if (steps.next().done) return done?.();
    frame = requestAnimationFrame(work);
    return undefined;
  };
  // Not at once: this frame has laid everything out already.
  frame = requestAnimationFrame(work);
  return () => cancelAnimationFrame(frame);
}

/** What draws in units of the page, with room at the edges for the frame around a square. */
function penOf(canvas: HTMLCanvasElement, scale: number) {
  const pen = canvas.getContext("2d");
  pen?.setTransform(scale, 0, 0, scale, 2 * scale, 2 * scale);
  return pen;
}

function show(shown: HTMLCanvasElement, back: HTMLCanvasElement, map: Layout, scale: number) {
  shown.width = back.width;
  shown.height = back.height;
  shown.style.width = `${map.width}px`;
  shown.style.height = `${map.height + 4}px`;
  shown.getContext("2d")?.drawImage(back, 0, 0);
  penOf(shown, scale);
}

/** The colours as the element sees them now. */
function inkOf(element: HTMLElement) {
  const style = getComputedStyle(element);
  const colours = new Map<string, string>();
  return (role: string) => {
    const known = colours.get(role) ?? style.getPropertyValue(`--${role}`).trim();
    colours.set(role, known);
    return known;
  };
}
