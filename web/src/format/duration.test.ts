import { expect, it } from "vitest";
import { bytes, count, plural } from "./bytes";
import { between, duration } from "./duration";

it.each([
  [0, "0 s"],
  [0.004, "4 ms"],
  [0.00001, "1 ms"],
  [0.4, "0.4 s"],
  [9.04, "9 s"],
  [41, "41 s"],
  [59.6, "1 m 00 s"],
  [124, "2 m 04 s"],
  [3720, "1 h 02 m"],
  [273_600, "3 d 4 h"],
  [-3, "0 s"],
])("%d seconds are %s", (seconds, expected) => {
  expect(duration(seconds)).toBe(expected);
});

it("shows a dash for a length nobody knows", () => {
  expect(duration(undefined)).toBe("–");
  expect(duration(null)).toBe("–");
  expect(duration(Number.NaN)).toBe("–");
});

it("measures from one instant to another, or until now", () => {
  expect(between("2026-04-17T12:00:00Z", "2026-04-17T12:02:04Z")).toBe("2 m 04 s");
  expect(between("2026-04-17T12:00:00Z", null, Date.parse("2026-04-17T12:00:41Z"))).toBe("41 s");
});

it.each([
  [0, "0 B"],
  [812, "812 B"],
  [999.6, "1.0 kB"],
  [1234, "1.2 kB"],
  [9960, "10 kB"],
  [212_400_000, "212 MB"],
  [999_600_000, "1.0 GB"],
  [-1, "0 B"],
  [5e18, "5000 PB"],
])("%d bytes are %s", (size, expected) => {
  expect(bytes(size)).toBe(expected);
});

it("counts in words", () => {
  expect(bytes(undefined)).toBe("–");
  expect(count(1204)).toBe("1,204");
  expect(plural(1, "build")).toBe("1 build");
  expect(plural(3, "build")).toBe("3 builds");
  expect(plural(0, "entry", "entries")).toBe("0 entries");
});
