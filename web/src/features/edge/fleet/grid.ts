import type { components } from "@/api/schema.gen";
import { agentStates, nodeLook } from "../looks";

type Answer = components["schemas"]["EdgeGrid"];

/** A node as the grid draws it. */
export type Cell = { id: string; name: string; site: string; variant: string; bundle: string; rollout: string; state: string; agent_state: string; exit: number | null; heard: number | null; offline: boolean; cves: number | null; /** The name as it is sorted: figures by their value. */ order: string; /** Who needs somebody most, first. */ rank: number };

/** What is drawn. `at` is the server's own mark to ask for changes after; `whole` is when all of it was read. */
export type Fleet = { /** By name, so that no change has them sorted anew. */ cells: Cell[]; /** Where each is among them. */ places: ReadonlyMap<string, number>; counts: Answer["counts"]; total: number; at: number; whole: number };

// Comparing by the rules of a language takes ten thousand names longer than a frame lasts; this takes a thousandth of it.
const orderOf = (name: string) => name.toLowerCase().replace(/\d+/g, (figures) => figures.padStart(9, "0"));

function cellOf(raw: (string | number)[], words: string[], now: number): Cell {
  const word = (at: number) => words[Number(raw[at])] ?? "";
  const known = (at: number) => (Number(raw[at]) < 0 ? null : Number(raw[at]));
  const quiet = known(9);
  const cell = {
    id: String(raw[0]),
    name: String(raw[1]),
    site: word(2),
    variant: word(3),
    bundle: word(4),
    rollout: word(5),
    state: word(6),
    agent_state: word(7),
    exit: known(8),
    heard: quiet === null ? null : now - quiet * 1000,
    offline: raw[10] === 1,
    cves: known(11),
    order: orderOf(String(raw[1])),
  };
  return { ...cell, rank: rankOf(cell) };
}

const byName = (cells: Cell[]) => cells.sort((a, b) => (a.order < b.order ? -1 : Number(a.order > b.order)));
const placesOf = (cells: Cell[]) => new Map(cells.map(({ id }, at) => [id, at]));

export function read({ cells: raws, words, counts, total, at }: Answer, now: number): Fleet {
  const cells = byName(raws.map((raw) => cellOf(raw, words, now)));
  return { cells, places: placesOf(cells), counts, total, at, whole: now };
}

/** The fleet with what changed; undefined when a node is gone from it, which changes alone do not tell. */
export function merged(before: Fleet, { cells: raws, words, counts, total, at }: Answer, now: number): Fleet | undefined {
  const cells = before.cells.slice();
  let sorted = true;
  for (const raw of raws) {
    const cell = cellOf(raw, words, now);
    const place = before.places.get(cell.id) ?? cells.length;
    sorted &&= cells[place]?.order === cell.order;
    cells[place] = cell;
  }
  if (cells.length !== total) return undefined;
  if (sorted) return { cells, places: before.places, counts, total, at, whole: before.whole };
  return { cells: byName(cells), places: placesOf(cells), counts, total, at, whole: before.whole };
}

export const groupings = ["site", "bundle", "variant"] as const;
export type Grouping = (typeof groupings)[number];

const nowhere: Record<Grouping, string> = { site: "no site", bundle: "nothing yet", variant: "unknown" };

export type Group = { name: string; cells: Cell[] };

// What needs somebody stands first in its group, so that the eye finds it at the same place.
const ranks = new Map(agentStates.map((state, at) => [state, at + 1]));

/** Whoever is not in the fleet comes before all others, and who is away after them. */
export function rankOf({ state, offline, agent_state: agent }: Pick<Cell, "state" | "offline" | "agent_state">): number {
  if (state !== "accepted") return 0;
  return offline ? agentStates.length + 1 : (ranks.get(agent || "idle") ?? 0);
}

/** Nodes by what they have in common, in an order that stays. They come by name, so within a rank nothing is compared. */
export function grouped(cells: Cell[], by: Grouping): Group[] {
  const groups = new Map<string, Cell[][]>();
  for (const cell of cells) {
    const name = cell[by] || nowhere[by];
    let members = groups.get(name);
    if (!members) groups.set(name, (members = []));
    (members[cell.rank] ??= []).push(cell);
  }
  return [...groups].map(([name, members]) => ({ name, cells: members.flat() })).toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

export type Block = Group & { x: number; y: number; columns: number };
export type Layout = { blocks: Block[]; width: number; height: number; pitch: number };

const head = 20;
const gap = 20;

/** The side of a node's square and the gap after it: as large as the number of nodes allows. */
export function pitchFor(nodes: number): number {
  if (nodes <= 400) return 20;
  return nodes <= 2500 ? 10 : 5;
}

/** Places groups side by side, then below each other. */
export function layout(groups: Group[], width: number, pitch: number): Layout {
  const columns = pitch >= 20 ? 10 : pitch >= 10 ? 18 : 26;
  const block = columns * pitch;
  const abreast = Math.max(1, Math.floor((width + gap) / (block + gap)));
  const own = abreast === 1 ? Math.max(1, Math.floor(width / pitch)) : columns;
  const blocks: Block[] = [];
  let y = 0;
  for (let from = 0; from < groups.length; from += abreast) {
    const row = groups.slice(from, from + abreast);
    row.forEach((group, at) => blocks.push({ ...group, x: at * (block + gap), y, columns: own }));
    y += head + Math.max(...row.map((group) => Math.ceil(group.cells.length / own))) * pitch + gap;
  }
  return { blocks, width, height: Math.max(0, y - gap), pitch };
}

/** Where the nth node of a block is. */
export const place = ({ x, y, columns }: Block, at: number, pitch: number) => ({ x: x + (at % columns) * pitch, y: y + head + Math.floor(at / columns) * pitch });

/** The block and the node at a point: what a pointer is on. */
export function hit({ blocks, pitch }: Layout, x: number, y: number): { block: number; at: number } | undefined {
  for (const [number, block] of blocks.entries()) {
    const column = Math.floor((x - block.x) / pitch);
    const row = Math.floor((y - block.y - head) / pitch);
    const at = row * block.columns + column;
    if (column >= 0 && column < block.columns && row >= 0 && at < block.cells.length) return { block: number, at };
  }
  return undefined;
}

export type Spot = { block: number; at: number };

/** Where an arrow leads from a node: within its block, and at its ends into the one beside it. */
export function moved({ blocks }: Layout, from: Spot | undefined, key: string): Spot | undefined {
  if (blocks.length === 0) return undefined;
  const here = from && blocks[from.block];
  if (!from || !here) return { block: 0, at: 0 };
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -here.columns, ArrowDown: here.columns }[key] ?? 0;
  const at = from.at + by;
  if (at >= 0 && at < here.cells.length) return { block: from.block, at };
  const next = from.block + Math.sign(by);
  const there = blocks[next];
  if (!there) return from;
  return { block: next, at: by < 0 ? there.cells.length - 1 : 0 };
}

/** What stands at the right of a group's name: what is wrong there, else how many. */
export function groupWords(cells: Cell[]): { words: string; bad: boolean } {
  const here = cells.filter(({ state, offline }) => state === "accepted" && !offline);
  const bad = here.filter(({ agent_state: state }) => state === "failed" || state === "quarantined" || state === "rolled-back").length;
  if (bad > 0) return { words: `${bad} failed`, bad: true };
  const away = cells.filter(({ offline }) => offline).length;
  if (away > 1 && away > cells.length / 3) return { words: `${away} offline`, bad: false };
  return { words: String(cells.length), bad: false };
}

export const lookOf = (cell: Cell) => nodeLook(cell);
