import type { LogSection } from "../queries";

/** Consecutive lines of one step, or of several whose lines alternate too often to part them. No step: lines of the build itself. */
export type Block = { first: number; last: number; steps: string[] };

/** A run of one step's lines as read from the log. */
export type Run = { step: string; first: number; last: number };

/** Above this a mixed stretch stays one block: its runs would have to be read line by line. */
export const mixedLimit = 10_000;
/** Runs shorter than this on average are noise as headings. */
const shortestRun = 4;

/**
 * Cuts the lines 1 to total into blocks. Sections say where a step's first and last lines are; where sections of parallel
 * steps overlap, `runs` (of the lines read so far) parts them if it covers the stretch.
 */
export function cut(total: number, sections: LogSection[], runs: (first: number, last: number) => Run[] | null): Block[] {
  const blocks: Block[] = [];
  let next = 1;
  for (const stretch of stretches(total, sections)) {
    if (stretch.first > next) blocks.push({ first: next, last: stretch.first - 1, steps: [] });
    blocks.push(...part(stretch, runs));
    next = stretch.last + 1;
  }
  if (next <= total) blocks.push({ first: next, last: total, steps: [] });
  return blocks;
}

/** Sections that overlap, joined. */
export function stretches(total: number, sections: LogSection[]): Block[] {
  const joined: Block[] = [];
  const ordered = sections.filter((section) => section.line_first > 0 && section.line_first <= total).toSorted((a, b) => a.line_first - b.line_first);
  for (const { step, line_first: first, line_last } of ordered) {
    const last = Math.min(total, Math.max(first, line_last));
    const before = joined.at(-1);
    if (before && first <= before.last) {
      before.last = Math.max(before.last, last);
      before.steps.push(step);
    } else {
      joined.push({ first, last, steps: [step] });
    }
  }
  return joined;
}

function part(stretch: Block, runs: (first: number, last: number) => Run[] | null): Block[] {
  const lines = stretch.last - stretch.first + 1;
  if (stretch.steps.length === 1 || lines > mixedLimit) return [stretch];
  const known = runs(stretch.first, stretch.last);
  if (!known || lines / known.length < shortestRun) return [stretch];
  return known.map(({ step, first, last }) => ({ first, last, steps: step ? [step] : [] }));
}

/** Stretches whose runs are worth reading. */
export function unread(total: number, sections: LogSection[]): Block[] {
  return stretches(total, sections).filter(({ steps, first, last }) => steps.length > 1 && last - first < mixedLimit);
}

/** Lines of the log that are drawn together: the list is virtual by these, so a million lines are few items. */
export const linesPerItem = 25;

export type Item = { kind: "heading"; block: Block; open: boolean } | { kind: "lines"; block: Block; first: number; last: number };

export type Layout = {
  count: number;
  item: (index: number) => Item;
  /** The item that holds the line; the heading where its block is folded. */
  indexOf: (line: number) => number;
  blocks: Block[];
};

/** Puts blocks into a row of items: a heading for each block of steps, then its lines when it is open. */
export function layOut(blocks: Block[], isOpen: (block: Block) => boolean): Layout {
  const starts: number[] = [];
  const open: boolean[] = [];
  let count = 0;
  for (const block of blocks) {
    starts.push(count);
    const shown = block.steps.length === 0 || isOpen(block);
    open.push(shown);
    count += heading(block) + (shown ? Math.ceil((block.last - block.first + 1) / linesPerItem) : 0);
  }
  const item = (index: number): Item => {
    const at = lastAtMost(starts, index);
    const block = blocks[at] as Block;
    const within = index - (starts[at] as number) - heading(block);
    if (within < 0) return { kind: "heading", block, open: open[at] as boolean };
    const first = block.first + within * linesPerItem;
    return { kind: "lines", block, first, last: Math.min(block.last, first + linesPerItem - 1) };
  };
  const indexOf = (line: number) => {
    const at = Math.max(0, lastAtMost(blocks.map((block) => block.first), line));
    const block = blocks[at];
    if (!block) return 0;
    if (!open[at]) return starts[at] as number;
    return (starts[at] as number) + heading(block) + Math.floor((Math.min(line, block.last) - block.first) / linesPerItem);
  };
  return { count, item, indexOf, blocks };
}

const heading = (block: Block) => (block.steps.length > 0 ? 1 : 0);

/** The index of the last value that is not above the wanted one; -1 if all are. */
function lastAtMost(values: number[], wanted: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) <= wanted) low = middle + 1;
    else high = middle - 1;
  }
  return high;
}
