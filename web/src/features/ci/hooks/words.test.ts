import { expect, it } from "vitest";
import { gapLine, life } from "./words";

const gap = { possible: true, missing: 0, recovered: 0, error: "" };
const fresh = { alive: false, state: "ok", problem: "", gap } as const;
const day = "2026-01-01T00:00:00Z";

it.each([
  [{}, "pending", "waits for the first"],
  [{ alive: true, last_ping_at: day }, "succeeded", "alive"],
  [{ last_delivery_at: day }, "errored", "silent for a day; its resources are polled"],
  [{ last_delivery_at: day, gap: { ...gap, missing: 2 } }, "errored", "deliveries are missing"],
  [{ state: "waiting" }, "running", "being set up at GitHub"],
  [{ state: "broken", problem: "Not Found" }, "failed", "Not Found"],
] as const)("%j", (change, status, word) => expect(life({ ...fresh, ...change })).toEqual({ status, word }));

it.each([
  [{ possible: false }, "not compared: set up by hand"],
  [{}, "not compared yet"],
  [{ last_compared_at: day }, "none"],
  [{ last_compared_at: day, recovered: 200 }, "200 deliveries recovered"],
  [{ missing: 1, recovered: 3 }, "1 delivery missing, 3 deliveries recovered"],
  [{ error: "GitHub answers 403" }, "GitHub answers 403"],
])("%j", (change, line) => expect(gapLine({ ...gap, ...change })).toBe(line));
