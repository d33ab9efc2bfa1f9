import { describe, expect, it } from "vitest";
import { inRange, parseRange, pressed, rangeHash } from "./ranges";

describe("ranges in the hash", () => {
  it.each([
    ["#L120", { first: 120, last: 120 }],
    ["L120-L140", { first: 120, last: 140 }],
    ["#L140-L120", { first: 120, last: 140 }],
    ["#L120-140", { first: 120, last: 140 }],
    ["#L0", null],
    ["#L-1", null],
    ["#L1x", null],
    ["#L99999999999", null],
    ["#steps", null],
    ["", null],
  ])("%s", (hash, range) => expect(parseRange(hash)).toEqual(range));

  it("come back as they were written", () => {
    for (const hash of ["L7", "L7-L9"]) expect(rangeHash(parseRange(hash) ?? { first: 0, last: 0 })).toBe(hash);
  });
});

it("shift reaches from the linked lines, both ways, and shrinks again", () => {
  const one = pressed(10, null, true);
  expect(one).toEqual({ first: 10, last: 10 });
  expect(pressed(14, one, true)).toEqual({ first: 10, last: 14 });
  expect(pressed(12, { first: 10, last: 14 }, true)).toEqual({ first: 10, last: 12 });
  expect(pressed(5, { first: 10, last: 14 }, true)).toEqual({ first: 5, last: 14 });
  expect(pressed(3, { first: 10, last: 14 }, false)).toEqual({ first: 3, last: 3 });
});

it("knows what is in it", () => {
  expect([9, 10, 14, 15].map((line) => inRange(line, { first: 10, last: 14 }))).toEqual([false, true, true, false]);
  expect(inRange(1, null)).toBe(false);
});
