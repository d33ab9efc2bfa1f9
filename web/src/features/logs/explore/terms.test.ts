import { describe, expect, it } from "vitest";
import { alike, hasPipe, hasTerm, marked, phrases, pieces, quoted, sought, term, typing, wholeWords, withoutTerm, withTerm } from "./terms";

describe("a value", () => {
  it.each([
    ["pay-1", "pay-1"],
    ["10.4.0.12:5432", "10.4.0.12:5432"],
    ["two words", '"two words"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["-1", '"-1"'],
    ["/path/x", '"/path/x"'],
    ["a|b", '"a|b"'],
    ["", '""'],
    ["line\nline", '"line\\nline"'],
  ])("%s is written %s", (value, expected) => {
    expect(quoted(value)).toBe(expected);
  });

  it("with a star is meant as it is", () => {
    expect(term("path", "a*b")).toBe('path:="a*b"');
    expect(term("my field", "x")).toBe('"my field":x');
  });
});

describe("conditions", () => {
  it("are cut at spaces outside of quotation marks and brackets", () => {
    expect(pieces('error "connection refused" host:(a or b) -x:"y z"')).toEqual(["error", '"connection refused"', "host:(a or b)", '-x:"y z"']);
  });

  it.each([
    ["", "host:a", "host:a"],
    ["error", "host:a", "error host:a"],
    ["error host:a", "host:a", "error host:a"],
    ["error -host:a", "host:a", "error host:a"],
    ["error host:a", "-host:a", "error -host:a"],
    ["a or b", "host:a", "(a or b) host:a"],
    ["error | stats count()", "host:a", "error host:a | stats count()"],
    ['"a | b"', "host:a", '"a | b" host:a'],
  ])("%s and %s make %s", (query, condition, expected) => {
    expect(withTerm(query, condition)).toBe(expected);
  });

  it("are found and taken away", () => {
    expect(hasTerm("error level:warn | top host", "level:warn")).toBe(true);
    expect(withoutTerm("error level:warn | top host", "level:warn")).toBe("error | top host");
    expect(hasPipe('"a | b"')).toBe(false);
  });
});

it("marks words and phrases, not fields and what must not be", () => {
  expect(marked('error "connection refused" host:a -debug (time* or msg:gone) | stats count()')).toEqual(["error", "connection refused", "time", "gone"]);
});

it("makes phrases of what is fixed in a pattern", () => {
  expect(phrases("connection to <*> refused")).toBe('"connection to" refused');
  expect(phrases("<*>: <*>")).toBe("");
});

it("searches for lines that are alike", () => {
  expect(alike("connection to 10.4.0.12:5432 refused")).toBe('"connection to" refused');
  expect(alike("charge ch_88f1 accepted in 212 ms")).toBe('charge "accepted in" ms');
  expect(alike("4711")).toBe("4711");
});

describe("what is being typed", () => {
  it.each([
    ["err", { start: 0, word: "err", pipe: false }],
    ["error ho", { start: 6, word: "ho", pipe: false }],
    ["error host:pa", { start: 6, field: "host", word: "pa", pipe: false }],
    ["error -host:", { start: 7, field: "host", word: "", pipe: false }],
    ["error | st", { start: 8, word: "st", pipe: true }],
    ["x | stats count() by (ho", { start: 22, word: "ho", pipe: true }],
  ])("%s", (text, expected) => {
    expect(typing(text, text.length)).toEqual(expected);
  });
});

describe("a marked text", () => {
  it.each([
    ["refused", "refused"],
    ["pay-1.eu", "pay-1.eu"],
    ["status:503", '"status:503"'],
    ["or", '"or"'],
    ["=5s", '"=5s"'],
    ['say "hi"', '"say \\"hi\\""'],
  ])("%s is sought as %s", (text, expected) => expect(sought(text)).toBe(expected));

  it.each([
    ["connection refused (again)", 3, 14, "connection refused"],
    ["connection refused (again)", 0, 10, "connection"],
    ["connection refused (again)", 11, 19, "refused"],
    ["took 45ms.", 6, 9, "45ms"],
    ["größe war", 1, 2, "größe"],
  ])("of %s from %d to %d has whole words", (text, from, to, expected) => expect(wholeWords(text, from, to)).toBe(expected));
});
