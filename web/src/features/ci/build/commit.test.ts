import { expect, it } from "vitest";
import { commitWords } from "./commit";

const input = (message: string, first = false) => ({ first, metadata: [{ name: "message", value: message }, { name: "author", value: "Ann" }] });

it.each([
  ["the new one of several", [input("docs: old"), input("totals: round\n\nmore", true)], "totals: round · Ann"],
  ["the first that tells", [{ first: true, metadata: [{ name: "tag", value: "1.2" }] }, input("totals: round")], "totals: round · Ann"],
  ["nothing without a message", [{ first: true, metadata: [{ name: "message", value: " " }] }], ""],
  ["nothing without inputs", [], ""],
])("says %s", (_, inputs, words) => expect(commitWords(inputs)).toBe(words));
