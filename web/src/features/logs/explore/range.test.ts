import { describe, expect, it } from "vitest";
import { absolute, clock, instant, pasted, rangeLabel, resolve, shifted, zoomedOut } from "./range";

const now = Date.parse("2026-04-17T12:00:00Z");
const hour = 3_600_000;
const utc = (text: string) => Date.parse(text);

describe("an instant", () => {
  it.each([
    ["now", now],
    ["now-1h", now - hour],
    ["-90m", now - 1.5 * hour],
    ["now-2d", now - 48 * hour],
    ["2026-04-17T10:00:00Z", utc("2026-04-17T10:00:00Z")],
    ["2026-04-17T12:00:00.250+02:00", utc("2026-04-17T10:00:00.250Z")],
    ["2026-04-17 10:00:00 UTC", utc("2026-04-17T10:00:00Z")],
    ["1776420000", 1776420000_000],
    ["1776420000123", 1776420000123],
    ["1776420000123000000", 1776420000123],
    ["yesterday-ish", undefined],
    ["12", undefined],
    ["", undefined],
  ])("%s", (text, expected) => {
    expect(instant(text, now)).toBe(expected);
  });
});

it("falls back to the last hour when a range cannot be read", () => {
  expect(resolve({ from: "nonsense", to: "now" }, now)).toEqual({ from: now - hour, to: now });
  expect(resolve({ from: "now", to: "now-1h" }, now)).toEqual({ from: now - hour, to: now });
});

describe("moving", () => {
  const span = { from: now - 4 * hour, to: now - 2 * hour };
  it("goes by half a window", () => {
    expect(shifted(span, -1, now)).toEqual(absolute({ from: now - 5 * hour, to: now - 3 * hour }));
    expect(shifted(span, 1, now)).toEqual(absolute({ from: now - 3 * hour, to: now - hour }));
  });
  it("stops at now", () => {
    expect(shifted({ from: now - hour, to: now }, 1, now)).toEqual(absolute({ from: now - hour, to: now }));
  });
  it("zooms out around the middle, not beyond now", () => {
    expect(zoomedOut(span, now)).toEqual(absolute({ from: now - 5 * hour, to: now - hour }));
    expect(zoomedOut({ from: now - hour, to: now }, now)).toEqual(absolute({ from: now - 2 * hour, to: now }));
  });
});

describe("a pasted text", () => {
  it.each([
    ["2026-04-17T10:00:00Z to 2026-04-17T11:00:00Z", { from: "2026-04-17T10:00:00.000Z", to: "2026-04-17T11:00:00.000Z" }],
    ["2026-04-17T10:00:00Z/2026-04-17T11:00:00Z", { from: "2026-04-17T10:00:00.000Z", to: "2026-04-17T11:00:00.000Z" }],
    ["2026-04-17T10:00:00Z - 2026-04-17T11:00:00Z", { from: "2026-04-17T10:00:00.000Z", to: "2026-04-17T11:00:00.000Z" }],
    ["2026-04-17T10:00:00Z", { from: "2026-04-17T09:55:00.000Z", to: "2026-04-17T10:05:00.000Z" }],
    ["-2h", { from: "now-2h", to: "now" }],
    ["2026-04-17T11:00:00Z to 2026-04-17T10:00:00Z", undefined],
    ["what", undefined],
  ])("%s", (text, expected) => {
    expect(pasted(text, now)).toEqual(expected);
  });
});

it("says a range in words", () => {
  expect(rangeLabel({ from: "now-1h", to: "now" }, now, true)).toBe("Last hour");
  expect(rangeLabel({ from: "now-90m", to: "now" }, now, true)).toBe("Last 1 h 30 m");
  expect(rangeLabel(absolute({ from: now - 2 * hour, to: now - hour }), now, true)).toBe("04-17 10:00 to 11:00 UTC");
  expect(rangeLabel(absolute({ from: now - 24 * hour, to: now }), now, true)).toBe("04-16 12:00 to 04-17 12:00 UTC");
  expect(clock(now + 41_120, true, true, true)).toBe("12:00:41.120");
});
