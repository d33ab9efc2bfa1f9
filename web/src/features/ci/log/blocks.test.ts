import { describe, expect, it } from "vitest";
import type { LogSection } from "../queries";
import { type Block, cut, layOut, linesPerItem, mixedLimit, type Run, unread } from "./blocks";

const section = (step: string, line_first: number, line_last: number): LogSection => ({ step, line_first, line_last });
const none = () => null;

describe("cut", () => {
  it("one block for a log without steps", () => expect(cut(7, [], none)).toEqual([{ first: 1, last: 7, steps: [] }]));
  it("nothing for an empty log", () => expect(cut(0, [], none)).toEqual([]));
  it("steps one after another, with lines of the build between", () => {
    expect(cut(20, [section("b", 11, 15), section("a", 3, 10)], none)).toEqual([
      { first: 1, last: 2, steps: [] },
      { first: 3, last: 10, steps: ["a"] },
      { first: 11, last: 15, steps: ["b"] },
      { first: 16, last: 20, steps: [] },
    ]);
  });
  it("parallel steps by their runs, where those are known", () => {
    const runs: Run[] = [{ step: "a", first: 1, last: 40 }, { step: "b", first: 41, last: 80 }, { step: "a", first: 81, last: 90 }];
    expect(cut(90, [section("a", 1, 90), section("b", 41, 80)], () => runs).map(({ first, steps }) => [first, ...steps])).toEqual([[1, "a"], [41, "b"], [81, "a"]]);
  });
  it("parallel steps as one block while their runs are unknown, alternate too often, or are too many to read", () => {
    const both = [section("a", 1, 90), section("b", 2, 80)];
    const whole = [{ first: 1, last: 90, steps: ["a", "b"] }];
    expect(cut(90, both, none)).toEqual(whole);
    expect(cut(90, both, () => Array.from({ length: 90 }, (_, at) => ({ step: at % 2 ? "a" : "b", first: at + 1, last: at + 1 })))).toEqual(whole);
    const long = [section("a", 1, mixedLimit * 2), section("b", 2, mixedLimit)];
    expect(cut(mixedLimit * 2, long, () => [])).toHaveLength(1);
    expect(unread(90, both)).toHaveLength(1);
    expect(unread(mixedLimit * 2, long)).toEqual([]);
  });
  it("does not believe a section that reaches beyond the log", () => expect(cut(5, [section("a", 1, 99), section("b", 50, 60)], none)).toEqual([{ first: 1, last: 5, steps: ["a"] }]));
});

describe("layOut", () => {
  const blocks: Block[] = [
    { first: 1, last: 3, steps: [] },
    { first: 4, last: 1_000_000, steps: ["a"] },
    { first: 1_000_001, last: 1_000_002, steps: ["b"] },
  ];
  const open = layOut(blocks, () => true);
  const folded = layOut(blocks, ({ steps }) => steps[0] !== "a");

  it("makes few items of many lines", () => expect(open.count).toBe(1 + 1 + Math.ceil(999_997 / linesPerItem) + 1 + 1));
  it("leaves out what is folded, but its heading", () => {
    expect(folded.count).toBe(4);
    expect(folded.item(1)).toEqual({ kind: "heading", block: blocks[1], open: false });
    expect(folded.indexOf(500_000)).toBe(1);
  });
  it("never folds lines without a step", () => expect(layOut(blocks, () => false).item(0)).toMatchObject({ kind: "lines", first: 1, last: 3 }));
  it("finds each line in the item that holds it", () => {
    for (const line of [1, 3, 4, 4 + linesPerItem - 1, 4 + linesPerItem, 999_999, 1_000_000, 1_000_001, 1_000_002]) {
      const item = open.item(open.indexOf(line));
      if (item.kind !== "lines") throw new Error(`line ${line} is not drawn`);
      expect(line).toBeGreaterThanOrEqual(item.first);
      expect(line).toBeLessThanOrEqual(item.last);
    }
  });
  it("names every line once, in order", () => {
    const small = layOut([{ first: 1, last: 60, steps: ["a"] }, { first: 61, last: 61, steps: [] }], () => true);
    const lines: number[] = [];
    for (let index = 0; index < small.count; index += 1) {
      const item = small.item(index);
      if (item.kind === "lines") for (let n = item.first; n <= item.last; n += 1) lines.push(n);
    }
    expect(lines).toEqual(Array.from({ length: 61 }, (_, at) => at + 1));
  });
});
