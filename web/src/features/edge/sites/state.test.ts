import { expect, it } from "vitest";
import { capWords } from "./state";

it("says what a cap means", () => {
  expect(capWords(0)).toContain("configuration");
  expect(capWords(512)).toBe("4.2 Mbit/s for all its nodes together: 25 MB in 50 s.");
  expect(capWords(2560)).toContain("21 Mbit/s");
});
