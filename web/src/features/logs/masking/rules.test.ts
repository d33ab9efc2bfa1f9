import { expect, it } from "vitest";
import { formOf, pastedLines, rulesOf, taken, usual } from "./rules";

it("reads lists line by line", () => {
  const rules = { secrets: true, cards: false, keys: ["iban", "card no"], patterns: ["a b ", "\\d{9}"] };
  expect(rulesOf(formOf(rules))).toEqual(rules);
  expect(rulesOf({ ...usual, keys: " iban \n\n", patterns: "\r\nx \r\n" })).toEqual({ secrets: true, cards: true, keys: ["iban"], patterns: ["x "] });
});

it("tries no more lines than the server takes", () => {
  expect(pastedLines("a\n\n b\n")).toEqual(["a", " b"]);
  expect(pastedLines("x\n".repeat(300))).toHaveLength(200);
});

const shown = (before: string, after: string) => taken(before, after).map(({ text, taken: gone }) => (gone ? `<${text}>` : text)).join("");

it.each([
  ["login password=hunter2 ok", "login password=[masked] ok", "login password=<hunter2> ok"],
  ["password=hunter2", "password=[masked]", "password=<hunter2>"],
  ["ghp_0123 came", "[masked] came", "<ghp_0123> came"],
  ["a=1 b=22 c", "a=[masked] b=[masked] c", "a=<1> b=<22> c"],
  ["token=a token=b", "token=[masked] token=[masked]", "token=<a> token=<b>"],
  ["all of it", "[masked]", "<all of it>"],
  ["password=[masked] card 4111", "password=[masked] card [masked]", "password=[masked] card <4111>"],
  ["same", "same", "same"],
  ["x y", "something else [masked]", "<x y>"],
])("shows what is taken of %s", (before, after, expected) => {
  const told = shown(before, after);
  expect(told.replace(/[<>]/g, "")).toBe(before);
  expect(told).toBe(expected);
});
