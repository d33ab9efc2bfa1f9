import { expect, it } from "vitest";
import type { Status } from "@/ui/status";
import { formOf } from "./forms";

const states: Status[] = ["succeeded", "failed", "running", "pending", "staging", "staged", "deferred", "quarantined", "rolled-back", "offline", "aborted"];

it("gives states forms of their own where there is room", () => {
  const drawn = states.map((status) => JSON.stringify(formOf(status, 17)));
  expect(new Set(drawn).size).toBe(states.length);
});

it("keeps within the square, but for what failed where it is tiny", () => {
  for (const size of [4, 7, 17]) {
    for (const status of states) {
      for (const { shape } of formOf(status, size)) {
        if (!("box" in shape)) continue;
        const [x, y, w, h] = shape.box;
        const most = size < 8 && (status === "failed" || status === "quarantined") ? size + 1 : size;
        expect(Math.min(x, y, w, h), `${status} ${size}`).toBeGreaterThanOrEqual(0);
        expect(Math.max(x + w, y + h), `${status} ${size}`).toBeLessThanOrEqual(most);
      }
    }
  }
});
