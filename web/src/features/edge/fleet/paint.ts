import type { Status } from "@/ui/status";
import { type Cell, groupWords, type Layout, lookOf, place } from "./grid";

/** The colours of a theme, by role. */
export type Ink = (role: string) => string;

const roles: Record<Status, string> = {
  succeeded: "succeeded",
  failed: "failed",
  errored: "errored",
  running: "running",
  aborted: "aborted",
  paused: "paused",
  pending: "pending",
  skipped: "pending",
  staging: "data",
  staged: "data",
  deferred: "paused",
  quarantined: "failed",
  "rolled-back": "errored",
  offline: "pending",
};

type Pen = CanvasRenderingContext2D;

/** Draws a square of the size that there is; every state has a form of its own, however small. */
function square(pen: Pen, status: Status, x: number, y: number, size: number, ink: Ink) {
  const thick = Math.max(1, Math.round(size / 8));
  const box = (dx: number, dy: number, w: number, h: number) => pen.fillRect(x + dx, y + dy, w, h);
  const hole = (dx: number, dy: number, w: number, h: number) => {
    pen.fillStyle = ink("surface");
    box(dx, dy, w, h);
  };
  pen.fillStyle = ink(roles[status]);
  const inner = size - 2 * thick;
  switch (status) {
    case "pending":
      return box(size / 4, size / 4, size / 2, size / 2);
    case "offline":
    case "skipped":
      return box(0, (size - thick) / 2, size, thick);
    case "deferred":
    case "paused":
      box(0, 0, size / 4, size);
      return box(size - size / 4, 0, size / 4, size);
    case "staging":
      box(0, 0, size, size);
      return hole(thick, thick, inner, inner);
    case "staged":
      box(0, 0, size, size);
      if (size < 8) return undefined;
      hole(thick, thick, inner, inner);
      pen.fillStyle = ink("data");
      return box(2 * thick, 2 * thick, size - 4 * thick, size - 4 * thick);
    case "running":
      box(0, 0, size, size);
      return hole(thick, thick, inner, inner / 2);
    case "rolled-back":
    case "errored":
      pen.beginPath();
      pen.moveTo(x + size, y);
      pen.lineTo(x + size, y + size);
      pen.lineTo(x, y + size / 2);
      return pen.fill();
    case "failed":
    case "quarantined":
      box(0, 0, size, size);
      if (size < 8) return box(0, 0, size + 1, size + 1);
      return status === "failed" ? cross(pen, x, y, size, ink) : hole(size / 5, (size - 2 * thick) / 2, size - (2 * size) / 5, 2 * thick);
    case "aborted":
      return box(size / 4, size / 4, size / 2, size / 4);
    default:
      return box(0, 0, size, size);
  }
}

function cross(pen: Pen, x: number, y: number, size: number, ink: Ink) {
  const [from, to] = [size * 0.28, size * 0.72];
  pen.strokeStyle = ink("surface");
  pen.lineWidth = Math.max(1, size / 8);
  pen.beginPath();
  pen.moveTo(x + from, y + from);
  pen.lineTo(x + to, y + to);
  pen.moveTo(x + to, y + from);
  pen.lineTo(x + from, y + to);
  pen.stroke();
}

/** The side of a square without the gap after it. */
export const sizeOf = (pitch: number) => pitch - (pitch > 8 ? 3 : 1);

/** Draws the whole grid. */
export function paint(pen: Pen, map: Layout, ink: Ink) {
  const size = sizeOf(map.pitch);
  pen.clearRect(0, 0, map.width, map.height);
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
    block.cells.forEach((cell: Cell, at) => {
      const { x, y } = place(block, at, map.pitch);
      square(pen, lookOf(cell).status, x, y, size, ink);
    });
  }
}

function shortened(pen: Pen, name: string, room: number): string {
  if (pen.measureText(name).width <= room) return name;
  let kept = name;
  while (kept.length > 1 && pen.measureText(`${kept}…`).width > room) kept = kept.slice(0, -1);
  return `${kept}…`;
}
