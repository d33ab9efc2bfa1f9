import { describe, expect, it } from "vitest";
import { clockTime, localTime, relativeTick, relativeTime, utcTime } from "./time";

const now = new Date("2026-04-17T12:00:00Z");
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

describe("relativeTime", () => {
  it.each([
    [0, "now"],
    [4, "now"],
    [5, "5 s ago"],
    [59, "59 s ago"],
    [60, "1 min ago"],
    [3599, "59 min ago"],
    [3600, "1 h ago"],
    [86_399, "23 h ago"],
    [86_400, "1 d ago"],
    [6 * 86_400, "6 d ago"],
    [-240, "in 4 min"],
    [-2, "now"],
  ])("%i s before now is %s", (seconds, expected) => {
    expect(relativeTime(ago(seconds), now)).toBe(expected);
  });

  it("names the day beyond a week, and the year when it is another", () => {
    expect(relativeTime("2026-04-01T12:00:00Z", now)).toBe("1 Apr");
    expect(relativeTime("2025-04-01T12:00:00Z", now)).toBe("1 Apr 2025");
  });

  it("says so when there is no instant", () => {
    expect(relativeTime("yesterday-ish", now)).toBe("unknown");
    expect(utcTime("nonsense")).toBe("unknown");
    expect(localTime("nonsense")).toBe("unknown");
  });

  it("asks to be looked at again only when it can change", () => {
    expect(relativeTick(ago(10), now)).toBe(1);
    expect(relativeTick(ago(600), now)).toBe(20);
    expect(relativeTick(ago(7200), now)).toBe(600);
  });
});

describe("absolute times", () => {
  it("writes UTC the same on every clock", () => {
    expect(utcTime(now)).toBe("2026-04-17 12:00:00 UTC");
    expect(utcTime(now.getTime())).toBe("2026-04-17 12:00:00 UTC");
  });

  it("writes the local clock with its offset", () => {
    expect(localTime(now)).toMatch(/^2026-04-1[678] \d\d:\d\d:00 [+-]\d\d:\d\d$/);
  });

  it("writes milliseconds when asked", () => {
    expect(clockTime(new Date(2026, 3, 17, 9, 5, 7, 41))).toBe("09:05:07");
    expect(clockTime(new Date(2026, 3, 17, 9, 5, 7, 41), true)).toBe("09:05:07.041");
  });
});
