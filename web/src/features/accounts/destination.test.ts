import { describe, expect, it } from "vitest";
import { destination, flyPort } from "./destination";
import { scopesFor } from "./scopes";

describe("destination", () => {
  it.each([
    ["/teams/main/ci?sort=name#top", "/teams/main/ci?sort=name#top"],
    [undefined, "/"],
    ["", "/"],
    ["https://elsewhere.example/", "/"],
    ["//elsewhere.example/", "/"],
    ["/\\elsewhere.example", "/"],
    ["javascript:alert(1)", "/"],
    ["/login?next=/x", "/"],
    [["/a"], "/"],
  ])("%s leads to %s", (next, expected) => {
    expect(destination(next)).toBe(expected);
  });
});

describe("flyPort", () => {
  it.each([
    ["9321", 9321],
    [9321, 9321],
    ["0", undefined],
    ["65536", undefined],
    ["80.5", undefined],
    ["evil", undefined],
    [undefined, undefined],
  ])("%s is %s", (value, expected) => {
    expect(flyPort(value)).toBe(expected);
  });
});

it("writes scopes as the server reads them", () => {
  expect(scopesFor(true, { ci: "read" })).toEqual(["*"]);
  expect(scopesFor(false, { ci: "write", accounts: "", system: "read" })).toEqual(["ci:write", "system:read"]);
  expect(scopesFor(false, {})).toEqual([]);
});
