import { expect, it } from "vitest";
import { limitWords, lines } from "./limits";
import { reasonWords } from "./outcomes";

it("says limits", () => {
  expect(limitWords({ category: "error", count: 1000, per: "hour" })).toBe("1,000 error per hour");
  expect(limitWords({ category: "", count: 5, per: "minute" })).toBe("5 items per minute");
});

it("reads one entry per line", () => expect(lines(" a \n\nb\na")).toEqual(["a", "b"]));

it("says reasons", () => expect([reasonWords("rate-limit_key"), reasonWords("")]).toEqual(["Rate limit key", "–"]));
