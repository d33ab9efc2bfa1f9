import { expect, it } from "vitest";
import { isShown, keptOf, searchOf } from "./address";

const usual = { query: "level:error", from: "now-1h", to: "now", columns: [] };

it("says only what is not usual", () => {
  expect(searchOf(usual)).toEqual({ q: "level:error" });
  expect(searchOf({ query: "", from: "", to: "", columns: ["host", "status"] })).toEqual({ cols: "host,status" });
  expect(searchOf({ ...usual, from: "2026-04-17T12:00:00Z", to: "2026-04-17T13:00:00Z" })).toEqual({ q: "level:error", from: "2026-04-17T12:00:00Z", to: "2026-04-17T13:00:00Z" });
});

it("knows the search that is shown", () => {
  const shown = { query: "level:error", range: { from: "now-1h", to: "now" }, columns: [] };
  expect(isShown(usual, shown)).toBe(true);
  expect(isShown({ ...usual, from: "", to: "" }, shown)).toBe(true);
  expect(isShown(usual, { ...shown, columns: ["host"] })).toBe(false);
  expect(isShown(usual, { ...shown, range: { from: "now-6h", to: "now" } })).toBe(false);
  expect(isShown(keptOf(shown), shown)).toBe(true);
});
