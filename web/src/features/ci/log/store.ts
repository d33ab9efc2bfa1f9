import { carried } from "@/ui/ansi";
import type { LogLine, LogPage, LogSection } from "../queries";
import type { Run } from "./blocks";

export const chunkLines = 500;
/** Lines that are kept: about sixty screens' worth of chunks, whatever the length of the log. */
export const keptChunks = 60;

/** A line as it is drawn: with the styles that the lines above it left open. */
export type StoredLine = LogLine & { carry: string };

type Chunk = { lines: StoredLine[]; used: number };

export type Stretch = { first: number; last: number };

export type Fetch = (from: number, limit: number, signal: AbortSignal) => Promise<LogPage>;

export type LogState = { version: number; total: number; ended: boolean; sections: LogSection[]; opened: boolean; error: unknown };

/** The log of one build: a sparse window of its lines, what is known of all, and the fetches under way. */
export type LogStore = {
  subscribe: (listener: () => void) => () => void;
  state: () => LogState;
  line: (n: number) => StoredLine | undefined;
  /** Sees to it that these lines come, unless they are there; other fetches under way are given up. */
  want: (stretches: Stretch[]) => void;
  /** Reads a stretch once, to know its runs; nothing gives this up but close. */
  read: (first: number, last: number) => void;
  /** Takes lines that arrived by themselves. */
  take: (page: LogPage) => void;
  /** Runs of consecutive lines of one step, where every line of the stretch has been read. */
  runs: (first: number, last: number) => Run[] | null;
  retry: () => void;
  close: () => void;
  chunks: () => number;
};

const chunkOf = (n: number) => Math.floor((n - 1) / chunkLines);

export function createLogStore(fetchLines: Fetch): LogStore {
  const chunks = new Map<number, Chunk>();
  const marks = new Map<number, Run[]>();
  const pending = new Map<number, AbortController>();
  const listeners = new Set<() => void>();
  let clock = 0;
  let state: LogState = { version: 0, total: 0, ended: false, sections: [], opened: false, error: null };
  let scheduled = false;
  let wanted: Stretch[] = [];
  let reading: AbortController | null = null;

  const tell = () => {
    if (scheduled) return;
    scheduled = true;
    // One drawing for all that arrives within a frame; a microtask where there are no frames.
    const frame = globalThis.requestAnimationFrame ?? ((run: () => void) => queueMicrotask(run));
    frame(() => {
      scheduled = false;
      for (const listener of listeners) listener();
    });
  };
  const change = (next: Partial<LogState>) => {
    state = { ...state, ...next, version: state.version + 1 };
    tell();
  };

  const evict = () => {
    while (chunks.size > keptChunks) {
      let oldest = -1;
      let least = Infinity;
      for (const [index, { used }] of chunks) if (used < least) [oldest, least] = [index, used];
      chunks.delete(oldest);
    }
  };

  const put = (lines: LogLine[]) => {
    for (let at = 0; at < lines.length; ) {
      const index = chunkOf((lines[at] as LogLine).n);
      let end = at;
      while (end < lines.length && chunkOf((lines[end] as LogLine).n) === index) end += 1;
      putInChunk(index, lines.slice(at, end));
      at = end;
    }
    evict();
  };

  const putInChunk = (index: number, lines: LogLine[]) => {
    const start = index * chunkLines + 1;
    const before = chunks.get(index)?.lines ?? [];
    const first = (lines[0] as LogLine).n;
    // A hole in a chunk is never kept: it is read whole when somebody looks at it.
    if (first > start + before.length) return;
    const kept = before.slice(0, first - start);
    const open = new Map<string, string>();
    for (const line of kept) open.set(line.step, carried(line.carry, line.text));
    for (const line of lines) {
      const carry = open.get(line.step) ?? "";
      kept.push({ ...line, carry });
      open.set(line.step, carried(carry, line.text));
    }
    if (kept.length >= before.length) chunks.set(index, { lines: kept, used: ++clock });
    marks.set(index, runsOf(chunks.get(index)?.lines ?? kept));
  };

  const fetchChunk = async (index: number) => {
    const abort = new AbortController();
    pending.set(index, abort);
    try {
      const page = await fetchLines(index * chunkLines + 1, chunkLines, abort.signal);
      if (pending.get(index) === abort) pending.delete(index);
      put(page.lines);
      change(grown(state, page));
    } catch (error) {
      if (pending.get(index) === abort) pending.delete(index);
      if (!abort.signal.aborted) change({ error });
    }
  };

  const missing = (index: number) => {
    const have = chunks.get(index)?.lines.length ?? 0;
    const there = Math.min(state.total, (index + 1) * chunkLines) - index * chunkLines;
    return !pending.has(index) && (!state.opened || have < there);
  };

  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    state: () => state,
    line(n) {
      const chunk = chunks.get(chunkOf(n));
      return chunk?.lines[(n - 1) % chunkLines];
    },
    want(stretches) {
      wanted = stretches;
      const indexes = new Set<number>();
      for (const { first, last } of stretches) for (let index = chunkOf(Math.max(1, first)); index <= chunkOf(Math.max(1, last)); index += 1) indexes.add(index);
      for (const [index, abort] of pending) {
        if (!state.opened || indexes.has(index)) continue;
        abort.abort();
        pending.delete(index);
      }
      for (const index of indexes) {
        const chunk = chunks.get(index);
        if (chunk) chunk.used = ++clock;
        if (missing(index)) void fetchChunk(index);
      }
    },
    read(first, last) {
      if (reading) return;
      reading = new AbortController();
      void (async (signal) => {
        try {
          for (let index = chunkOf(first); index <= chunkOf(last); index += 10) {
            const page = await fetchLines(index * chunkLines + 1, 10 * chunkLines, signal);
            put(page.lines);
          }
          change({});
        } catch {
          // The stretch then stays one block, which is no more than less handy.
        }
        if (!signal.aborted) reading = null;
      })(reading.signal);
    },
    take(page) {
      put(page.lines);
      change(grown(state, page));
    },
    runs(first, last) {
      const found: Run[] = [];
      for (let index = chunkOf(first); index <= chunkOf(last); index += 1) {
        const known = marks.get(index);
        if (!known || (known.at(-1)?.last ?? 0) < Math.min(last, (index + 1) * chunkLines)) return null;
        for (const run of known) append(found, run, first, last);
      }
      return found;
    },
    retry() {
      change({ error: null });
      this.want(wanted.length > 0 ? wanted : [{ first: 1, last: 1 }]);
    },
    close() {
      for (const abort of pending.values()) abort.abort();
      pending.clear();
      reading?.abort();
      reading = null;
    },
    chunks: () => chunks.size,
  };
}

/** The log never shrinks: a page that was slow does not take back what a quicker one has said. */
function grown(state: LogState, page: LogPage): Partial<LogState> {
  const newer = page.total >= state.total;
  return { total: Math.max(state.total, page.total), ended: state.ended || page.ended, sections: newer ? page.sections : state.sections, opened: true, error: null };
}

function runsOf(lines: LogLine[]): Run[] {
  const runs: Run[] = [];
  for (const { step, n } of lines) {
    const run = runs.at(-1);
    if (run && run.step === step) run.last = n;
    else runs.push({ step, first: n, last: n });
  }
  return runs;
}

function append(found: Run[], run: Run, first: number, last: number) {
  if (run.last < first || run.first > last) return;
  const before = found.at(-1);
  const part = { step: run.step, first: Math.max(first, run.first), last: Math.min(last, run.last) };
  if (before && before.step === part.step) before.last = part.last;
  else found.push(part);
}
