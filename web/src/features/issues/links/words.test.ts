import { expect, it } from "vitest";
import { around, frameUrl, githubBody, linkName, linkState } from "./words";

it("names a link by its number once it has one", () => {
  expect(linkName({ repository: "acme/shop", number: 41 })).toBe("acme/shop#41");
  expect(linkName({ repository: "acme/shop", number: 0 })).toBe("acme/shop");
  expect(linkState({ state: "closed" })).toEqual({ status: "succeeded", word: "closed" });
  expect(linkState({ state: "creating" }).status).toBe("running");
});

it("writes what GitHub is told", () => {
  const issue = { short_id: "SHOP-7", events: 3, users: 2, culprit: "/cart" };
  expect(githubBody(issue, "TypeError: x\n    at y", "http://h/1")).toBe("[SHOP-7](http://h/1): 3 events, 2 users, in `/cart`.\n\n```\nTypeError: x\n    at y\n```");
  expect(githubBody({ ...issue, culprit: "" }, "", "http://h/1")).toBe("[SHOP-7](http://h/1): 3 events, 2 users.");
});

it("leads to the line of one's own frame at the released commit", () => {
  const at = { repository: "acme/shop", sha: "e04d118" };
  expect(frameUrl({ in_app: true, filename: "src/cart.js", line: 42 }, at)).toBe("https://github.com/acme/shop/blob/e04d118/src/cart.js#L42");
  expect(frameUrl({ in_app: false, filename: "src/cart.js" }, at)).toBeUndefined();
  expect(frameUrl({ in_app: true }, at)).toBeUndefined();
  expect(frameUrl({ in_app: true, filename: "src/cart.js" }, undefined)).toBeUndefined();
});

it("looks thirty seconds to both sides", () => expect(around({ timestamp: "2026-04-17T12:00:00Z" })).toEqual({ from: "2026-04-17T11:59:30.000Z", to: "2026-04-17T12:00:30.000Z" }));
