import { expect, it } from "vitest";
import { ceilingWords, formOf, limitsOf, todayWords } from "./form";
import type { Limits } from "./queries";

const limits: Limits = { retention_days: 14, retention_bytes: 2_500_000_000, lines_per_second: 0, bytes_per_day: 1_048_576, ceiling: { retention_days: 30, retention_bytes: 20e9 }, today_lines: 1200, today_bytes: 524_288, updated_by: "" };

it("writes limits as they are read", () => {
  const { retention_days, retention_bytes, lines_per_second } = limits;
  expect(formOf(limits)).toEqual({ days: "14", megabytes: "2500", lines: "", daily: "1.049" });
  expect(limitsOf(formOf(limits))).toMatchObject({ retention_days, retention_bytes, lines_per_second });
});

it("takes what is no number as nothing", () => expect(limitsOf({ days: "x", megabytes: "-3", lines: "", daily: "0.5" })).toEqual({ retention_days: 0, retention_bytes: 0, lines_per_second: 0, bytes_per_day: 500_000 }));

it("says what holds anyway", () => {
  expect(ceilingWords(limits)).toEqual({ days: "This server keeps at most 30 days.", size: "This server keeps at most 20 GB, as lines lie on disk." });
  expect(ceilingWords({ ceiling: { retention_days: 0, retention_bytes: 0 } }).days).toBe("This server keeps days for ever.");
});

it.each([
  [limits, "1,200 lines, 524 kB came today: 50 % of what may"],
  [{ ...limits, bytes_per_day: 0, today_lines: 1 }, "1 line, 524 kB came today"],
])("says what came today", (given, words) => expect(todayWords(given)).toBe(words));
