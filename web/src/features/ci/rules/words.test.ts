import { expect, it } from "vitest";
import { fate, occasionOf, occasions, when } from "./words";

const rule = { events: ["pull_request"], actions: ["review_requested"], repository: "acme/*", branch: "" };

it.each([
  [{}, "When a review is requested in acme/*"],
  [{ branch: "main" }, "When a review is requested in acme/* on main"],
  [{ repository: "" }, "When a review is requested in any repository"],
  [{ events: ["push"], actions: [] }, "When somebody pushes in acme/*"],
  [{ events: ["deployment", "fork"], actions: [] }, "When GitHub tells of deployment or fork in acme/*"],
  [{ events: ["issues"], actions: ["labeled"] }, "When GitHub tells of issues (labeled) in acme/*"],
])("%j reads as a sentence", (change, sentence) => expect(when({ ...rule, ...change })).toBe(sentence));

it("knows every occasion again, in any order", () => {
  for (const one of occasions) expect(occasionOf({ events: one.events, actions: one.actions.toReversed() })).toBe(one);
  expect(occasionOf({ events: ["pull_request"], actions: [] })).toBeUndefined();
});

it.each([
  [{ state: "sent", error: "" }, "succeeded"],
  [{ state: "failed", error: "404" }, "failed"],
  [{ state: "waiting", error: "timeout" }, "errored"],
  [{ state: "waiting", error: "" }, "pending"],
] as const)("%j", (message, status) => expect(fate(message).status).toBe(status));
