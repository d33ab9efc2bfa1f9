import { describe, expect, it } from "vitest";
import { grouped, score } from "./match";

const order = (texts: string[], typed: string) =>
  texts
    .filter((text) => score(text, typed) > 0)
    .sort((a, b) => score(b, typed) - score(a, typed));

describe("score", () => {
  it("puts starts before words before parts before letters", () => {
    expect(order(["rebuild", "web build", "b-u-i-l-d", "build", "pipeline"], "build")).toEqual(["build", "web build", "rebuild", "b-u-i-l-d"]);
  });

  it("wants every word, in any order and any case", () => {
    expect(score("Members of main", "MAIN mem")).toBeGreaterThan(0);
    expect(score("Members of main", "main other")).toBe(0);
  });

  it("takes everything while nothing is typed", () => {
    expect(score("anything", "  ")).toBeGreaterThan(0);
  });
});

it("groups in the order of first appearance", () => {
  const things = [{ group: "b", n: 1 }, { n: 2 }, { group: "b", n: 3 }];
  expect(grouped(things, "rest").map(([name, members]) => [name, members.map(({ n }) => n)])).toEqual([
    ["b", [1, 3]],
    ["rest", [2]],
  ]);
});
