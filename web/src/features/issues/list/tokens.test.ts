import { expect, it } from "vitest";
import { mistake, parts, suggestions, tokens, without, withTerm } from "./tokens";

const texts = (query: string) => tokens(query).map(({ text }) => text);

it.each([
  ["", []],
  ["is:unresolved env:prod", ["is:unresolved", "env:prod"]],
  ['  "card declined"  timeout ', ['"card declined"', "timeout"]],
  ['message:"a \\" b" x', ['message:"a \\" b"', "x"]],
  ["release:[1.0, 1.1] y", ["release:[1.0, 1.1]", "y"]],
  ['un"closed quote', ['un"closed quote']],
])("%s has the pieces %j", (query, expected) => expect(texts(query)).toEqual(expected));

it.each([
  ["is:new", "is:", "new"],
  ["!user.email:*@x.org", "!user.email:", "*@x.org"],
  ["timeout", "", "timeout"],
  ['"a:b"', "", '"a:b"'],
])("%s is %s and %s", (text, key, value) => expect(parts(text)).toEqual({ key, value }));

it("takes a piece away, and adds one once", () => {
  const query = "is:unresolved env:prod boom";
  const [, env] = tokens(query);
  expect(without(query, env ?? { text: "", start: 0, end: 0 })).toBe("is:unresolved boom");
  expect(withTerm("is:new", "browser", "Chrome 135")).toBe('is:new browser:"Chrome 135"');
  expect(withTerm('browser:"Chrome 135"', "browser", "Chrome 135")).toBe('browser:"Chrome 135"');
});

it("finds the letters of a mistake that the server counts in bytes", () => {
  expect(mistake("tür is:odd", [{ field: "query:5-11", message: "No." }])).toEqual({ message: "No.", start: 4, end: 10 });
  expect(mistake("x", [{ field: "team", message: "No." }])).toBeUndefined();
});

it("completes keys, then values", () => {
  expect(suggestions("rel")).toEqual(["release:"]);
  expect(suggestions("!is:re")).toEqual(["!is:resolved", "!is:regressed"]);
  expect(suggestions("level:error")).toEqual([]);
  expect(suggestions("browser:Ch")).toEqual([]);
});
