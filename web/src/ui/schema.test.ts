import { expect, it } from "vitest";
import { extend, flag, number, numberOr, oneOf, oneOfOr, params, text, values } from "./schema";

const search = extend(params({ q: text(), name: text(4), page: number(), offset: numberOr(0), wrap: flag() }), { tab: oneOf(["log", "tests"]), view: oneOfOr(["wall", "table"], "wall"), vars: values() });

it.each([
  ["nothing", {}, { offset: 0, view: "wall" }],
  ["what it knows", { q: "a", name: "web", page: 2, offset: 50, wrap: true, tab: "tests", view: "table", vars: { a: 1 } }, { q: "a", name: "web", page: 2, offset: 50, wrap: true, tab: "tests", view: "table", vars: { a: 1 } }],
  ["numbers as text", { q: 42, page: "7", offset: "3" }, { q: "42", page: 7, offset: 3, view: "wall" }],
  ["nonsense as not given", { name: "too long", page: -1, offset: 1.5, tab: "x", view: 3, vars: "no" }, { offset: 0, view: "wall" }],
])("reads %s", (_, said, read) => expect(JSON.parse(JSON.stringify(search.parse(said)))).toEqual(read));
