import type { Status } from "@/ui/status";
import { formOf, type Layer } from "./forms";
import { type Block, groupWords, type Layout, lookOf, place } from "./grid";

/** The colours of a theme, by role. */
export type Ink = (role: string) => string;

type Pen = CanvasRenderingContext2D;

/** The side of a square without the gap after it. */
export const sizeOf = (pitch: number) => pitch - (pitch > 8 ? 3 : 1);

// Between two looks at the clock: few enough that one run of them is short.
const run = 400;

/** What a canvas shows of a group: the form at each of its places, and the words above. Not sure while it is being painted. */
type Shown = { forms: Status[]; words: string; bad: boolean; sure: boolean };

/** What a canvas shows of each group. */
export type Painted = (Shown | undefined)[];

/** Whether groups stand where they stood, so that only what differs has to be painted. */
export const standsAlike = (before: Layout, map: Layout) =>
  before.pitch === map.pitch &&
  before.width === map.width &&
  before.height === map.height &&
  before.blocks.length === map.blocks.length &&
  before.blocks.every(({ name, x, y, columns }, at) => {
    const now = map.blocks[at];
    return now?.name === name && now.x === x && now.y === y && now.columns === columns;
  });

/** Brings a canvas from what it shows to the grid, in steps, so that no frame waits for all of it: each step is a small part of the work. */
export function* painting(pen: Pen, map: Layout, ink: Ink, painted: Painted): Generator<undefined, void> {
  for (const [at, block] of map.blocks.entries()) {
    const before = painted[at];
    const forms = block.cells.map((cell) => lookOf(cell).status);
    const head = groupWords(block.cells);
    yield undefined;
    const old = before?.forms ?? [];
    const { cleared, drawn } = differing(block, map.pitch, old, forms, before?.sure ?? true);
    // Whoever comes in between finds a group of which nothing is sure, and as many places as may be taken.
    painted[at] = { forms: forms.length > old.length ? forms : old, ...head, sure: false };
    for (let from = 0; from < cleared.length; from += 2) pen.clearRect(cleared[from] ?? 0, cleared[from + 1] ?? 0, map.pitch, map.pitch);
    yield* squares(pen, drawn, sizeOf(map.pitch), ink);
    if (!before?.sure || before.words !== head.words || before.bad !== head.bad) title(pen, block, map.pitch, head, ink);
    painted[at] = { forms, ...head, sure: true };
    yield undefined;
  }
}

/** The places of a block that have to be emptied, and those where each form is to be drawn: x and y in turn. */
export function differing(block: Block, pitch: number, old: Status[], forms: Status[], sure: boolean): { cleared: number[]; drawn: Map<Status, number[]> } {
  const cleared: number[] = [];
  const drawn = new Map<Status, number[]>();
  for (let at = 0; at < Math.max(old.length, forms.length); at++) {
    const form = forms[at];
    if (sure && old[at] === form) continue;
    const { x, y } = place(block, at, pitch);
    if (at < old.length) cleared.push(x, y);
    if (!form) continue;
    const list = drawn.get(form);
    if (list) list.push(x, y);
    else drawn.set(form, [x, y]);
  }
  return { cleared, drawn };
}

function* squares(pen: Pen, drawn: Map<Status, number[]>, size: number, ink: Ink): Generator<undefined, void> {
  for (const [status, list] of drawn) {
    for (const layer of formOf(status, size)) {
      for (let from = 0; from < list.length; from += 2 * run) {
        draw(pen, layer, list, from, Math.min(list.length, from + 2 * run), ink);
        if (list.length > run) yield undefined;
      }
    }
  }
}

/** The name of a group, and at the right what is wrong there. */
function title(pen: Pen, block: Block, pitch: number, { words, bad }: { words: string; bad: boolean }, ink: Ink) {
  const right = block.x + block.columns * pitch - (pitch - sizeOf(pitch));
  pen.clearRect(block.x, block.y, right - block.x, 16);
  pen.font = "500 11px 'Inter Variable', Inter, system-ui";
  pen.textAlign = "right";
  pen.fillStyle = ink(bad ? "failed" : "text-muted");
  pen.fillText(words, right, block.y + 11);
  const room = right - block.x - pen.measureText(words).width - 8;
  pen.textAlign = "left";
  pen.fillStyle = ink("text");
  pen.fillText(shortened(pen, block.name, room), block.x, block.y + 11);
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
