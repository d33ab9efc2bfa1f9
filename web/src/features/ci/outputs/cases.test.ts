import { describe, expect, it } from "vitest";
import { caseStatus, caseTitle, caseWhere } from "./cases";

describe("caseTitle", () => {
  it.each([
    ["acme.Cart", "acme.Cart.totals", "totals"],
    ["cart_test", "cart_test::test_totals", "test_totals"],
    ["Cart", "Cart totals of three", "totals of three"],
    ["Cart", "Cartography", "Cartography"],
    ["", "TestTotals", "TestTotals"],
    ["Cart", "", "Cart"],
  ])("%s and %s: %s", (owner, name, title) => expect(caseTitle({ class: owner, name })).toBe(title));
});

describe("caseWhere", () => {
  it.each([
    ["unit", "acme.Cart", "cart.go", 12, "acme.Cart · cart.go:12"],
    ["unit", "", "", 0, "unit"],
    ["", "", "cart.go", 0, "cart.go"],
  ])("%s, %s, %s:%i is %s", (suite, owner, file, line, where) => expect(caseWhere({ suite, class: owner, file, line })).toBe(where));
});

it("never tells by colour alone", () => expect(new Set(["passed", "failed", "errored", "skipped"].map((state) => caseStatus(state as "passed").status)).size).toBe(4));
