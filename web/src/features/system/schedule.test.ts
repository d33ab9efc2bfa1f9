import { describe, expect, it } from "vitest";
import { atClock, minuteOf, pauses, said } from "./schedule";

describe("the schedule of backups", () => {
  it("says minutes of a day as a clock does, and back", () => {
    for (const minute of [0, 9, 150, 1439]) expect(minuteOf(atClock(minute))).toBe(minute);
    expect(atClock(150)).toBe("02:30");
    for (const wrong of ["", "x", "25:00", "-1:00"]) expect(minuteOf(wrong)).toBe(0);
  });
  it("offers what is set, even when it is unusual", () => {
    expect(pauses(24)).toHaveLength(6);
    expect(pauses(36)).toContainEqual({ value: "36", label: "Every 36 hours" });
  });
  it("is a sentence", () => {
    expect(said({ every_hours: 0, at_minute: 0, keep: 7, rehearse: true })).toBe("none is made by itself");
    expect(said({ every_hours: 24, at_minute: 150, keep: 7, rehearse: true })).toBe("daily, counted from 02:30 UTC; the newest 7 stay, each is rehearsed");
  });
});
