import { expect, it } from "vitest";
import { curl, isShown, searchOf } from "./address";

it("says only what is not usual", () => {
  expect(searchOf({ query: "is:unresolved", sort: "last_seen", project: "" })).toEqual({});
  expect(searchOf({ query: "level:fatal", sort: "users", project: "shop" })).toEqual({ query: "level:fatal", sort: "users", project: "shop" });
});

it("knows the view that is shown", () => {
  const view = { query: "level:fatal", sort: "users", project: "" } as const;
  expect(isShown(view, { query: "level:fatal", sort: "users" })).toBe(true);
  expect(isShown(view, { query: "level:fatal" })).toBe(false);
  expect(isShown({ query: "is:unresolved", sort: "last_seen", project: "" }, {})).toBe(true);
});

it("gives the list as a command", () =>
  expect(curl("http://h:1", "main", { query: "is:new x", project: "shop" })).toBe('curl -H "Authorization: Bearer $SIGNALBOX_TOKEN" "http://h:1/api/v1/issues/issues?team=main&query=is%3Anew+x&project=shop"'));
