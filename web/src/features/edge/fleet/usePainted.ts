import { type RefObject, useEffect } from "react";
import type { Layout } from "./grid";
import { painting } from "./paint";

// Milliseconds of a frame that painting takes; the rest is for everything else.
const share = 4;

/** Keeps a canvas showing a layout. It is painted behind, over as many frames as it takes, and shown when it is whole. */
export function usePainted(canvas: RefObject<HTMLCanvasElement | null>, map: Layout, theme: number): void {
  useEffect(() => {
    const shown = canvas.current;
    if (!shown || map.width === 0) return undefined;
    const scale = devicePixelRatio || 1;
    const back = document.createElement("canvas");
    back.width = map.width * scale;
    back.height = (map.height + 4) * scale;
    const pen = back.getContext("2d");
    if (!pen) return undefined;
    pen.scale(scale, scale);
    // The frame around a square at the edge needs room.
    pen.translate(2, 2);
    const steps = painting(pen, map, inkOf(shown));
    let frame = 0;
    const work = () => {
      const until = performance.now() + share;
      while (performance.now() < until) if (steps.next().done) return show(shown, back, map);
      frame = requestAnimationFrame(work);
      return undefined;
    };
    // Not at once: this frame has laid everything out already.
    frame = requestAnimationFrame(work);
    return () => cancelAnimationFrame(frame);
  }, [canvas, map, theme]);
}

function show(shown: HTMLCanvasElement, back: HTMLCanvasElement, map: Layout) {
  shown.width = back.width;
  shown.height = back.height;
  shown.style.width = `${map.width}px`;
  shown.style.height = `${map.height + 4}px`;
  shown.getContext("2d")?.drawImage(back, 0, 0);
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
