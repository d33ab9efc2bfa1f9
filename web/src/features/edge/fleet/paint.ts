import type { Status } from "@/ui/status";
import { formOf, type Layer } from "./forms";
import { groupWords, type Layout, lookOf, place } from "./grid";

/** The colours of a theme, by role. */
export type Ink = (role: string) => string;

type Pen = CanvasRenderingContext2D;

/** The side of a square without the gap after it. */
export const sizeOf = (pitch: number) => pitch - (pitch > 8 ? 3 : 1);

// Between two looks at the clock: few enough that one run of them is short.
const run = 400;

/** Where squares of each state stand: x and y in turn. */
function* byStatus(map: Layout): Generator<undefined, Map<Status, number[]>> {
  const spots = new Map<Status, number[]>();
  for (const block of map.blocks) {
    yield undefined;
    block.cells.forEach((cell, at) => {
      const { status } = lookOf(cell);
      const list = spots.get(status) ?? [];
      if (list.length === 0) spots.set(status, list);
      const { x, y } = place(block, at, map.pitch);
      list.push(x, y);
    });
  }
  return spots;
}

/** Draws the whole grid in steps, so that no frame waits for all of it: each step is a small part of the work. */
export function* painting(pen: Pen, map: Layout, ink: Ink): Generator<undefined, void> {
  const size = sizeOf(map.pitch);
  pen.clearRect(-2, -2, map.width + 4, map.height + 8);
  const spots = yield* byStatus(map);
  for (const [status, list] of spots) {
    for (const layer of formOf(status, size)) {
      for (let from = 0; from < list.length; from += 2 * run) {
        draw(pen, layer, list, from, Math.min(list.length, from + 2 * run), ink);
        yield undefined;
      }
    }
  }
  for (const block of map.blocks) {
    const right = block.x + block.columns * map.pitch - (map.pitch - size);
    const { words, bad } = groupWords(block.cells);
    pen.font = "500 11px 'Inter Variable', Inter, system-ui";
    pen.textAlign = "right";
    pen.fillStyle = ink(bad ? "failed" : "text-muted");
    pen.fillText(words, right, block.y + 11);
    const room = right - block.x - pen.measureText(words).width - 8;
    pen.textAlign = "left";
    pen.fillStyle = ink("text");
    pen.fillText(shortened(pen, block.name, room), block.x, block.y + 11);
    yield undefined;
  }
}

/** Draws one layer of some squares of a state. */
function draw(pen: Pen, { role, shape }: Layer, list: number[], from: number, to: number, ink: Ink) {
  const each = (act: (x: number, y: number) => void) => {
    for (let at = from; at < to; at += 2) act(list[at] ?? 0, list[at + 1] ?? 0);
  };
  if ("box" in shape) {
    const [dx, dy, w, h] = shape.box;
    pen.fillStyle = ink(role);
    return each((x, y) => pen.fillRect(x + dx, y + dy, w, h));
  }
  pen.beginPath();
  if ("fill" in shape) {
    each((x, y) => {
      shape.fill.forEach(([dx, dy], at) => (at === 0 ? pen.moveTo(x + dx, y + dy) : pen.lineTo(x + dx, y + dy)));
      pen.closePath();
    });
    pen.fillStyle = ink(role);
    return pen.fill();
  }
  each((x, y) => {
    for (const [x1, y1, x2, y2] of shape.lines) {
      pen.moveTo(x + x1, y + y1);
      pen.lineTo(x + x2, y + y2);
    }
  });
  pen.strokeStyle = ink(role);
  pen.lineWidth = 1.5;
  return pen.stroke();
}

function shortened(pen: Pen, name: string, room: number): string {
  if (pen.measureText(name).width <= room) return name;
  let kept = name;
  while (kept.length > 1 && pen.measureText(`${kept}…`).width > room) kept = kept.slice(0, -1);
  return `${kept}…`;
}
