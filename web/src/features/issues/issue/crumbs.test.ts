import { expect, it } from "vitest";
import { beforeWords, crumbs, crumbText } from "./crumbs";

const at = "2026-04-17T12:00:10Z";
const sent = [
  { timestamp: "2026-04-17T12:00:00Z", category: "navigation", data: { from: "/a", to: "/b" } },
  { timestamp: "2026-04-17T12:00:01Z", category: "click", message: "button" },
  { timestamp: "2026-04-17T12:00:02Z", category: "click", message: "button" },
  { timestamp: "2026-04-17T12:00:08Z", category: "fetch", level: "error", data: { method: "GET", url: "/api", status_code: 500 } },
];

it("folds repetitions and says how long before", () => {
  expect(crumbs(sent, at, "all").map(({ text, times, before }) => [text, times, before])).toEqual([
    ["/a to /b", 1, 10],
    ["button", 2, 8],
    ["GET /api 500", 1, 2],
  ]);
});

it("filters by level and words", () => {
  expect(crumbs(sent, at, "warning")).toHaveLength(1);
  expect(crumbs(sent, at, "all", "CLICK")).toHaveLength(1);
  expect(crumbs(sent, at, "error", "click")).toEqual([]);
});

it("says what a step carried", () => {
  expect(crumbText({ category: "cache", message: "miss", data: { key: "x", logger: "console" } })).toBe("miss key=x");
  expect(crumbText({ category: "ui" })).toBe("ui");
});

it.each([[undefined, ""], [14.21, "−14.2 s"], [-1, "+1.0 s"], [600, "−10 min"]])("%s is %s", (seconds, said) => expect(beforeWords(seconds)).toBe(said));
