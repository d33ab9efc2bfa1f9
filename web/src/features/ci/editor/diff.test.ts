import { describe, expect, it } from "vitest";
import { changed, diffLines } from "./diff";

const signs = (before: string, after: string) =>
  diffLines(before, after).map((line) => (line.kind === "gap" ? `~${line.lines}` : { same: " ", added: "+", removed: "-" }[line.kind] + line.text));

describe("diffLines", () => {
  it.each([
    ["the same", "a\nb", "a\nb", ["~2"]],
    ["one changed", "a\nb\nc", "a\nx\nc", [" a", "-b", "+x", " c"]],
    ["added at the end", "a", "a\nb", [" a", "+b"]],
    ["removed at the start", "a\nb", "b", ["-a", " b"]],
    ["moved", "a\nb\nc", "c\na\nb", ["+c", " a", " b", "-c"]],
    ["from nothing", "", "a", ["-", "+a"]],
  ])("%s", (_, before, after, out) => expect(signs(before, after)).toEqual(out));

  it("folds what is far from a change", () => {
    const long = Array.from({ length: 20 }, (_, at) => `l${at}`);
    expect(signs(long.join("\n"), long.with(10, "x").join("\n"))).toEqual(["~7", " l7", " l8", " l9", "-l10", "+x", " l11", " l12", " l13", "~6"]);
  });

  it("gives both texts back", () => {
    const [before, after] = ["a\nb\nc\nd\nb", "b\nb\nx\nd\na"];
    const lines = diffLines(before, after);
    const side = (kind: string) => lines.flatMap((line) => (line.kind === "same" || line.kind === kind ? [(line as { text: string }).text] : [])).join("\n");
    expect([side("removed"), side("added")]).toEqual([before, after]);
    expect(changed(lines)).toEqual({ added: 3, removed: 3 });
  });

  it("does not block on texts of thousands of lines", () => {
    const lines = (salt: string) => Array.from({ length: 5000 }, (_, at) => `${salt}${at}`).join("\n");
    expect(changed(diffLines(lines("a"), lines("b")))).toEqual({ added: 5000, removed: 5000 });
  });
});
