import { expect, it } from "vitest";
import type { Event, Issue } from "../queries";
import { markdown } from "./markdown";

const issue = { short_id: "SHOP-7", title: "TypeError: no", events: 3, users: 2, first_seen: "2026-04-16T10:00:00Z", last_seen: "2026-04-17T12:00:00Z", culprit: "cart.ts" } as Issue;

it("is what one pastes into a chat", () => {
  const event = { release: "1.4", exceptions: [{ type: "TypeError", value: "no", stack: { frames: [{ in_app: true, function: "sum", filename: "cart.ts", line: 4 }] } }] } as Event;
  expect(markdown(issue, event, "https://box.example/7")).toBe(
    "**[SHOP-7](https://box.example/7)** TypeError: no\n\n3 events, 2 users · first 2026-04-16 10:00:00 UTC · last 2026-04-17 12:00:00 UTC · release 1.4\n\nin `cart.ts`\n\n```\nTypeError: no\n    at sum (cart.ts:4)\n```\n",
  );
});

it("does without an event", () => expect(markdown({ ...issue, culprit: "" }, undefined, "u")).not.toContain("```"));
