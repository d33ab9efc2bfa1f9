import { expect, it } from "vitest";
import { rangeOfLine, wrongLine } from "./mistakes";

it("finds the line that cannot be read", () => {
  expect(wrongLine([{ field: "name", message: "no" }, { field: "rules:12", message: "An arrow is missing." }])).toEqual({ line: 12, message: "An arrow is missing." });
  expect(wrongLine([{ field: "rules", message: "are too long" }])).toBeUndefined();
  expect(wrongLine(undefined)).toBeUndefined();
});

it.each([
  [1, [0, 2]],
  [2, [3, 3]],
  [3, [4, 7]],
  [9, [7, 7]],
])("line %d is at %j", (line, range) => expect(rangeOfLine("ab\n\ncde", line)).toEqual(range));
