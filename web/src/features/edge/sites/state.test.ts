import { expect, it } from "vitest";
import { capWords, hoursWords } from "./state";

it("says what a cap means", () => {
  expect(capWords(0)).toContain("configuration");
  expect(capWords(512)).toBe("4.2 Mbit/s for all its nodes together: 25 MB in 50 s.");
  expect(capWords(2560)).toContain("21 Mbit/s");
});

it.each([
  ["", "", "at any time"],
  ["20:00-06:00", "Europe/Oslo", "10 h 00 m of each day, over midnight, by the clock of Europe/Oslo."],
  ["02:00-04:30", "", "2 h 30 m of each day, by the clock of UTC."],
  ["tonight", "", "such as 20:00-06:00"],
])("says what the hours %j mean", (hours, timezone, said) => {
  expect(hoursWords(hours, timezone)).toContain(said);
});
