import { expect, it } from "vitest";
import { pieces } from "./answer";
import { refsOf } from "./refs";
import { timelineOf } from "./run/timeline";
import type { Step, Turn } from "./queries";

const grounds = [
  { fact: "#1234", steps: [2, 5] },
  { fact: "https://github.com/acme/shop/pull/5678", steps: [1] },
  { fact: "41", steps: [3] },
  { fact: "5,230", steps: [4] },
];

it.each([
  ["[#1234 Payment](https://github.com/acme/shop/issues/1234) is open", [2]],
  ["see [the pull request](https://github.com/acme/shop/pull/5678)", [1]],
  ["**41** bugs", [3]],
  ["1410 bugs", []],
  ["5,230 lines, 41 of them new", [3, 4]],
  ["nothing", []],
])("names the calls that hold what is stated: %s", (line, want) => {
  expect(refsOf(pieces(line), grounds)).toEqual(want);
});

it("puts turns and calls in the order they began, with bars that show where", () => {
  const step = (number: number, began: number, milliseconds: number) => ({ number, began, milliseconds, kind: "call", tool: "t", args: {}, result: "{}", bytes: 2, failed: false }) as Step;
  const turn = { number: 1, began: 0, milliseconds: 100, shown: 1, tools: 3, stop: "tools", tokens_in: 1, tokens_out: 1 } as Turn;
  const rows = timelineOf({ steps: [step(2, 150, 50), step(1, 100, 100)], turns: [turn], milliseconds: 200 });
  expect(rows.map((row) => [row.key, row.from, row.size])).toEqual([
    ["turn-1", 0, 50],
    ["step-1", 50, 50],
    ["step-2", 75, 25],
  ]);
  expect(timelineOf({ steps: undefined, turns: undefined, milliseconds: 0 })).toEqual([]);
});
