import { expect, it } from "vitest";
import { headline } from "./headline";

it.each([
  [[{ name: "commit", value: "7c1e" }, { name: "author", value: "Ann" }, { name: "message", value: "fix: totals\n\nlong" }], "fix: totals · Ann"],
  [[{ name: "message", value: "alone" }], "alone"],
  [[{ name: "tag", value: "1.2" }], "tag: 1.2"],
  [[], ""],
])("%o says %s", (metadata, line) => expect(headline({ metadata })).toBe(line));
