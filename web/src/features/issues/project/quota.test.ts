import { expect, it } from "vitest";
import { spanOf, used, warning } from "./quota";

const reasons = [
  { outcome: "accepted", category: "error", reason: "", quantity: 850 },
  { outcome: "accepted", category: "session", reason: "", quantity: 5000 },
  { outcome: "limited", category: "error", reason: "quota", quantity: 70 },
] as never;

it("counts what was taken in the category of a limit", () => {
  expect(used({ category: "error", count: 1000, per: "hour" }, { reasons })).toMatchObject({ used: 850, share: 0.85 });
  expect(used({ category: "", count: 10_000, per: "month" }, { reasons }).used).toBe(5850);
  expect(used({ category: "error", count: 0, per: "hour" }, { reasons }).share).toBe(1);
});

it("warns before events are lost", () => {
  const of = (share: number) => warning({ limit: { category: "", count: 1, per: "hour" }, used: 0, share });
  expect([of(0.5), of(0.8), of(1.2)]).toEqual([undefined, "near", "full"]);
  expect(spanOf({ category: "", count: 1, per: "month" })).toBe(720);
});
