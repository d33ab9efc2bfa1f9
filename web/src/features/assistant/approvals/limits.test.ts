import { expect, it } from "vitest";
import { budgetOf, limitsOf } from "./limits";

it("goes from a budget to what is typed and back", () => {
  const budget = { runs: 200, tokens: -1, cost: 2_500_000 };
  expect(limitsOf(budget)).toEqual({ runs: "200", tokens: "", dollars: "2.5" });
  expect(budgetOf(limitsOf(budget))).toEqual(budget);
  expect(budgetOf({ runs: "1,000", tokens: "x", dollars: "0" })).toEqual({ runs: 1000, tokens: -1, cost: 1 });
});
