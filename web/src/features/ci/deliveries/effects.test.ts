import { expect, it } from "vitest";
import { causedLine, folded } from "./effects";

const many = (count: number) => Array.from({ length: count }, (_, at) => ({ kind: "build", id: `${at}`, title: `#${at}`, url: "" }));

it.each([
  [0, 0, 0, ""],
  [2, 2, 0, "#0, #1"],
  [3, 3, 0, "#0, #1, #2"],
  [4, 2, 2, "#0, #1, 2 more"],
  [200, 2, 198, "#0, #1, 198 more"],
])("folds %i to two: %i and %i more", (count, shown, more, line) => {
  const said = folded(many(count), 2);
  expect([said.shown.length, said.more]).toEqual([shown, more]);
  expect(causedLine(many(count), 2)).toBe(line);
});

it("takes nothing for nothing", () => expect(folded(null, 2)).toEqual({ shown: [], more: 0 }));
