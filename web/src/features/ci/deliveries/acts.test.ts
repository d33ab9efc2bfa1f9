import { expect, it } from "vitest";
import { askRefusal, redeliverRefusal } from "./acts";

const gap = { possible: false, missing: 0, recovered: 0, error: "" };

it.each([
  ["accepted", "push", false],
  ["accepted", "ping", "A ping"],
  ["refused", "push", "refused"],
] as const)("works on a %s %s again: %s", (verdict, event, why) => {
  const said = redeliverRefusal({ verdict, event });
  if (why) expect(said).toContain(why);
  else expect(said).toBe(false);
});

it("asks GitHub for what its own webhooks sent", () => {
  expect(askRefusal({ verdict: "accepted" }, { managed: true, gap: { ...gap, possible: true } })).toBe(false);
  expect(askRefusal({ verdict: "accepted" }, { managed: false, gap: { ...gap, possible: true } })).toBe(false);
  expect(askRefusal({ verdict: "accepted" }, { managed: false, gap })).toContain("under Repositories");
  expect(askRefusal({ verdict: "accepted" }, { managed: true, gap })).toContain("first delivery");
  expect(askRefusal({ verdict: "refused" }, { managed: true, gap })).toContain("refused");
  expect(askRefusal({ verdict: "accepted" }, undefined)).toContain("deleted");
});
