import { describe, expect, it } from "vitest";
import { delta, findPattern, lineTime, looksBad, mark } from "./text";
import { nearest } from "./useFind";
import { firstBad } from "./useFirstError";

const shown = (pieces: ReturnType<typeof mark>) => pieces.map(({ text, hit }) => (hit ? `[${text}]` : text)).join("|");

describe("marks", () => {
  it.each([
    ["a word", [{ text: "one two one" }], "one", false, "[one]| two |[one]"],
    ["letters of both cases", [{ text: "Error" }], "error", false, "[Error]"],
    ["across styles", [{ text: "er", className: "a-red" }, { text: "ror!" }], "error", false, "[er]|[ror]|!"],
    ["signs as they are", [{ text: "a.b axb" }], "a.b", false, "[a.b]| axb"],
    ["a pattern", [{ text: "a1 b2" }], "[a-z]\\d", true, "[a1]| |[b2]"],
    ["nothing for a pattern that matches nothing", [{ text: "abc" }], "x*", true, "abc"],
  ])("%s", (_, pieces, text, regex, out) => expect(shown(mark(pieces, findPattern(text, regex)))).toBe(out));
  it("is null for nothing and for what browsers cannot read", () => expect([findPattern("", false), findPattern("(", true)]).toEqual([null, null]));
});

it("goes to the match nearest below", () => {
  expect(nearest([3, 9, 20], 9)).toBe(1);
  expect(nearest([3, 9, 20], 10)).toBe(2);
  expect(nearest([3, 9, 20], 21)).toBe(0);
});

describe("lines that look like the reason", () => {
  it.each(["error: no such file", "--- FAIL: TestX", "panic: nil", "expected 1 got 2"])("%s", (text) => expect(looksBad(text)).toBe(true));
  it.each(["0 errors", "no failures", "errors: 0", "ok", "terror"])("not %s", (text) => expect(looksBad(text)).toBe(false));
});

it("finds the first bad line of the failing step, whatever its colours", () => {
  const line = (n: number, step: string, text: string) => ({ n, step, text, t: "", stream: "stdout" as const });
  const lines = [line(1, "b", "error"), line(2, "a", "0 errors"), line(3, "a", "\x1b[1mexpected 1 got 2"), line(4, "a", "error")];
  expect(firstBad(lines, "a")).toBe(3);
  expect(firstBad(lines, "c")).toBe(0);
});

describe("times", () => {
  const start = "2026-04-17T12:00:00Z";
  it.each([
    ["utc", "2026-04-17T12:00:01.5Z", "12:00:01.500"],
    ["relative", "2026-04-17T12:00:36.214Z", "0:36.214"],
    ["relative", "2026-04-17T13:04:05.006Z", "1:04:05.006"],
    ["relative", "2026-04-17T11:59:59Z", "-0:01.000"],
  ] as const)("%s %s", (how, t, out) => expect(lineTime(t, how, start)).toBe(out));

  it.each([
    [undefined, "", false],
    ["2026-04-17T11:59:59.95Z", "", false],
    ["2026-04-17T11:59:59Z", "+1.0 s", false],
    ["2026-04-17T11:59:38.6Z", "+21.4 s", true],
    ["2026-04-17T11:55:00Z", "+5 m 00 s", true],
    ["2026-04-17T12:00:09Z", "", false],
  ])("since %s", (before, text, slow) => expect(delta(start, before)).toEqual({ text, slow }));
});
