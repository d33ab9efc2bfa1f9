import { describe, expect, it, vi } from "vitest";
import type { LogLine, LogPage } from "../queries";
import { chunkLines, createLogStore, keptChunks } from "./store";

const line = (n: number, step = "a", text = `line ${n}`): LogLine => ({ n, step, text, stream: "stdout", t: "2026-04-17T12:00:00Z" });

function pages(total: number, make = line) {
  const asked: number[] = [];
  const fetch = async (from: number, limit: number): Promise<LogPage> => {
    asked.push(from);
    const lines = Array.from({ length: Math.max(0, Math.min(limit, total - from + 1)) }, (_, at) => make(from + at));
    return { lines, total, ended: true, sections: [{ step: "a", line_first: 1, line_last: total }] };
  };
  return { asked, fetch };
}

const settle = async (store: ReturnType<typeof createLogStore>, n: number) => vi.waitFor(() => expect(store.line(n)).toBeDefined(), { interval: 1 });

describe("the log store", () => {
  it("reads what is wanted, once", async () => {
    const { asked, fetch } = pages(10_000);
    const store = createLogStore(fetch);
    store.want([{ first: 1, last: 1 }]);
    store.want([{ first: 1, last: 40 }]);
    await settle(store, 1);
    store.want([{ first: 490, last: 510 }]);
    await settle(store, 510);
    store.want([{ first: 490, last: 510 }]);
    expect(asked).toEqual([1, 501]);
    expect(store.state()).toMatchObject({ total: 10_000, ended: true, opened: true, error: null });
  });

  it("keeps a bounded part of a million lines", async () => {
    const { fetch } = pages(1_000_000);
    const store = createLogStore(fetch);
    store.want([{ first: 1, last: 1 }]);
    await settle(store, 1);
    for (let at = 0; at < 100; at += 1) {
      const n = at * 10_000 + 1;
      store.want([{ first: n, last: n + 30 }]);
      await settle(store, n);
    }
    expect(store.chunks()).toBe(keptChunks);
    expect(store.line(990_001)).toBeDefined();
    expect(store.line(10_001)).toBeUndefined();
  });

  it("gives up what has gone out of sight", async () => {
    const signals: AbortSignal[] = [];
    const { fetch } = pages(100_000);
    const store = createLogStore((from, limit, signal) => {
      signals.push(signal);
      return from === 1 ? fetch(from, limit) : new Promise(() => undefined);
    });
    store.want([{ first: 1, last: 1 }]);
    await settle(store, 1);
    store.want([{ first: 50_101, last: 50_110 }]);
    store.want([{ first: 90_101, last: 90_110 }]);
    expect(signals.map((signal) => signal.aborted)).toEqual([false, true, false]);
    store.close();
    expect(signals.at(-1)?.aborted).toBe(true);
  });

  it("appends lines that arrive, and never shrinks", async () => {
    const { fetch } = pages(3);
    const store = createLogStore(fetch);
    store.want([{ first: 1, last: 1 }]);
    await settle(store, 3);
    store.take({ lines: [line(4), line(5)], total: 5, ended: false, sections: [] });
    expect(store.line(5)?.text).toBe("line 5");
    store.take({ lines: [line(2)], total: 2, ended: false, sections: [] });
    expect(store.state().total).toBe(5);
    expect(store.line(5)).toBeDefined();
  });

  it("keeps no chunk with a hole: lines that arrive far ahead are read when looked at", async () => {
    const { asked, fetch } = pages(900);
    const store = createLogStore(fetch);
    store.want([{ first: 1, last: 1 }]);
    await settle(store, 1);
    store.take({ lines: [line(701)], total: 900, ended: false, sections: [] });
    expect(store.line(701)).toBeUndefined();
    store.want([{ first: 700, last: 710 }]);
    await settle(store, 701);
    expect(asked).toEqual([1, chunkLines + 1]);
  });

  it("says what failed, and tries again when told", async () => {
    const { fetch } = pages(5);
    const fetches = vi.fn(fetch).mockRejectedValueOnce(new Error("gone"));
    const store = createLogStore(fetches);
    store.want([{ first: 1, last: 1 }]);
    await vi.waitFor(() => expect(store.state().error).toBeInstanceOf(Error));
    store.retry();
    await settle(store, 5);
    expect(store.state().error).toBeNull();
  });

  it("carries a style to the next line of the same step only", async () => {
    const { fetch } = pages(3, (n) => line(n, n === 2 ? "b" : "a", n === 1 ? "\x1b[31mred" : "x"));
    const store = createLogStore(fetch);
    store.want([{ first: 1, last: 1 }]);
    await settle(store, 3);
    expect([1, 2, 3].map((n) => store.line(n)?.carry)).toEqual(["", "", "\x1b[31m"]);
  });

  it("knows the runs of what it has read, across chunks and after it forgot the lines", async () => {
    const { fetch } = pages(1200, (n) => line(n, n > 450 && n <= 800 ? "b" : "a"));
    const store = createLogStore(fetch);
    store.want([{ first: 1, last: 1 }]);
    await settle(store, 1);
    expect(store.runs(1, 1200)).toBeNull();
    store.read(1, 1200);
    await vi.waitFor(() => expect(store.runs(1, 1200)).not.toBeNull());
    expect(store.runs(1, 1200)).toEqual([{ step: "a", first: 1, last: 450 }, { step: "b", first: 451, last: 800 }, { step: "a", first: 801, last: 1200 }]);
    expect(store.runs(440, 460)).toEqual([{ step: "a", first: 440, last: 450 }, { step: "b", first: 451, last: 460 }]);
  });
});
