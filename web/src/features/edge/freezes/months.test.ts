import { describe, expect, it } from "vitest";
import { fieldTime, freezesOn, monthOf, standing } from "./months";
import type { Freeze } from "./queries";

const freeze = (from: string, to: string): Freeze => ({ id: "1", from, to, reason: "peak trade", allow: [], created_by: "ann", created_at: from });

describe("the calendar", () => {
  it("lays a month out in weeks from Monday", () => {
    const { title, weeks } = monthOf(new Date(2026, 10, 21), 0);
    expect(title).toBe("November 2026");
    expect(weeks).toHaveLength(6);
    expect(weeks[0]?.map(({ number, inside }) => (inside ? number : -number))).toEqual([-26, -27, -28, -29, -30, -31, 1]);
    expect(weeks.flat().filter(({ inside }) => inside)).toHaveLength(30);
  });

  it("goes over the end of a year", () => {
    expect(monthOf(new Date(2026, 11, 31), 2).key).toBe("2027-02");
    expect(monthOf(new Date(2027, 1, 28), 0).weeks.flat().filter(({ inside }) => inside)).toHaveLength(28);
  });

  it("finds what freezes a part of a day, and not what ends at its beginning", () => {
    const day = { from: new Date(2026, 10, 25), to: new Date(2026, 10, 26) };
    const at = (date: number, hour: number) => new Date(2026, 10, date, hour).toISOString();
    expect(freezesOn([freeze(at(25, 23), at(27, 0))], day)).toHaveLength(1);
    expect(freezesOn([freeze(at(24, 0), at(25, 0)), freeze(at(26, 0), at(27, 0))], day)).toHaveLength(0);
  });

  it("writes a time as a field wants it", () => {
    expect(fieldTime(new Date(2026, 0, 5, 7, 3))).toBe("2026-01-05T07:03");
  });

  it("says how a freeze stands", () => {
    const one = freeze("2026-11-25T00:00:00Z", "2026-12-02T00:00:00Z");
    expect(standing(one, Date.parse("2026-11-21T00:00:00Z")).word).toBe("to come");
    expect(standing(one, Date.parse("2026-11-25T00:00:00Z"))).toEqual({ holds: true, word: "holds" });
    expect(standing(one, Date.parse("2026-12-02T00:00:00Z")).word).toBe("over");
  });
});
