import { describe, expect, it } from "vitest";
import { aPipeline } from "../fixtures";
import { inOrder, moved, namesInOrder } from "./order";

const team = [aPipeline({ id: 1, name: "web" }), aPipeline({ id: 2, name: "deploy" }), aPipeline({ id: 3, name: "deploy" }), aPipeline({ id: 4, name: "docs" })];

describe("the order of a team's pipelines", () => {
  it("has one place for all instances of a pipeline", () => expect(namesInOrder(team)).toEqual(["web", "deploy", "docs"]));
  it.each([
    ["docs", 0, ["docs", "web", "deploy"]],
    ["web", 1, ["deploy", "web", "docs"]],
    ["web", 9, ["deploy", "docs", "web"]],
    ["docs", -1, ["docs", "web", "deploy"]],
    ["deploy", 1, ["web", "deploy", "docs"]],
  ])("moves %s to %i", (name, to, expected) => expect(moved(namesInOrder(team), name, to)).toEqual(expected));
  it("keeps instances in theirs, and puts last what is not named", () => {
    expect(inOrder(team, ["docs", "deploy"]).map(({ id }) => id)).toEqual([4, 2, 3, 1]);
  });
});
