import type { Status } from "@/ui/status";

/** A box, or a form of straight lines, in the unit of the square's side. */
type Shape = { box: readonly [x: number, y: number, w: number, h: number] } | { fill: readonly (readonly [number, number])[] } | { lines: readonly (readonly [number, number, number, number])[] };

/** What is drawn in one colour: all squares of a state at a time, since changing the colour is what costs. */
export type Layer = { role: string; shape: Shape };

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

const ground = "surface";

/** How a state looks as a square of a size; every state has a form of its own, however small. Sizes are in pixels. */
export function formOf(status: Status, size: number): Layer[] {
  const role = roles[status];
  const thick = Math.max(1, Math.round(size / 8));
  const inner = size - 2 * thick;
  const box = (x: number, y: number, w: number, h: number, of = role): Layer => ({ role: of, shape: { box: [x, y, w, h] } });
  const whole = box(0, 0, size, size);
  switch (status) {
    case "pending":
      return [box(size / 4, size / 4, size / 2, size / 2)];
    case "offline":
    case "skipped":
      return [box(0, (size - thick) / 2, size, thick)];
    case "deferred":
    case "paused":
      return [box(0, 0, size / 4, size), box(size - size / 4, 0, size / 4, size)];
    case "staging":
      return [whole, box(thick, thick, inner, inner, ground)];
    case "staged":
      return size < 8 ? [whole] : [whole, box(thick, thick, inner, inner, ground), box(2 * thick, 2 * thick, size - 4 * thick, size - 4 * thick)];
    case "running":
      return [whole, box(thick, thick, inner, inner / 2, ground)];
    case "rolled-back":
    case "errored":
      return [{ role, shape: { fill: [[size, 0], [size, size], [0, size / 2]] } }];
    case "failed":
      return size < 8 ? [box(0, 0, size + 1, size + 1)] : [whole, { role: ground, shape: { lines: crossOf(size) } }];
    case "quarantined":
      return size < 8 ? [box(0, 0, size + 1, size + 1)] : [whole, box(size / 5, (size - 2 * thick) / 2, size - (2 * size) / 5, 2 * thick, ground)];
    case "aborted":
      return [box(size / 4, size / 4, size / 2, size / 4)];
    default:
      return [whole];
  }
}

function crossOf(size: number): [number, number, number, number][] {
  const [from, to] = [size * 0.28, size * 0.72];
  return [
    [from, from, to, to],
    [to, from, from, to],
  ];
}
