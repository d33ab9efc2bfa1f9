import { expect, it } from "vitest";
import { spanOf } from "./queries";

const now = Date.parse("2026-11-21T15:30:00Z");

it.each([
  [{ hours: 1 }, "2026-11-21T14:31:00Z", "2026-11-21T15:31:00Z"],
  [{ hours: 24, from: "2026-11-21T14:00:00.000Z", to: "2026-11-21T15:00:00.000Z" }, "2026-11-21T14:00:00Z", "2026-11-21T15:00:00Z"],
  [{ hours: 6, to: "2026-11-21T15:00:00.000Z" }, "2026-11-21T09:00:00Z", "2026-11-21T15:00:00Z"],
  [{ hours: 6, from: "2026-11-21T15:00:00.000Z" }, "2026-11-21T15:00:00Z", "2026-11-21T15:31:00Z"],
])("asks of %o", (asked, from, to) => expect(spanOf(asked, now)).toEqual({ from, to }));
