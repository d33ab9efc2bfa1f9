import { describe, expect, it } from "vitest";
import { carried, contrast, palette, pieces, plain, readable, settled } from "./ansi";

const red = "\x1b[31m";
const off = "\x1b[0m";

describe("settled", () => {
  it.each([
    ["no return", "plain", "plain"],
    ["progress", "10 %\r50 %\r100 %", "100 %"],
    ["a line end of Windows", "done\r", "done"],
    ["several at the end", "a\rdone\r\r", "done"],
    ["nothing but returns", "\r\r", ""],
  ])("%s", (_, text, shown) => expect(settled(text)).toBe(shown));

  it("keeps the style that was set before the return", () => expect(settled(`${red}10 %\r50 %`)).toBe(`${red}50 %`));
  it("takes a segment of nothing but styles for empty", () => expect(plain(settled(`done\r${off}`))).toBe("done"));
});

describe("pieces", () => {
  it("leaves plain text alone", () => expect(pieces("ok")).toEqual([{ text: "ok" }]));
  it("has nothing for an empty line", () => expect(pieces("")).toEqual([]));
  it("names the sixteen colours", () => expect(pieces(`${red}no${off} yes`)).toEqual([{ text: "no", className: "a-red" }, { text: " yes" }]));
  it("knows bold and bright", () => expect(pieces("\x1b[1;92mgo")[0]?.className).toBe("a-bold a-bright-green"));
  it("turns around what is reversed", () => expect(pieces("\x1b[7mx")[0]?.className).toBe("a-black a-on-white"));
  it("gives the 256 colours and true colours as they are asked for", () => {
    expect(pieces("\x1b[38;5;208mx")[0]?.color).toBe("rgb(255 135 0)");
    expect(pieces("\x1b[38;2;200;150;100mx")[0]?.color).toBe("rgb(200 150 100)");
    expect(pieces("\x1b[48;2;1;2;3mx")[0]?.background).toBe("rgb(1 2 3)");
  });
  it("reads colons as well as semicolons", () => expect(pieces("\x1b[38;5:208mx")[0]?.color).toBe("rgb(255 135 0)"));
  it("goes on in the style of the line above", () => expect(pieces("still", red)[0]?.className).toBe("a-red"));
  it("drops cursor movement, titles and links", () => expect(pieces("\x1b[2K\x1b[1Ga\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c\x07").map((piece) => piece.text).join("")).toBe("abc"));
});

describe("carried", () => {
  it.each([
    ["nothing", "", "words", ""],
    ["what is left open", "", `a ${red}b`, red],
    ["nothing after a reset", red, `b${off} c`, ""],
    ["nothing after the short reset", red, "b\x1b[m c", ""],
    ["all that is open", red, "\x1b[1mb", `${red}\x1b[1m`],
  ])("%s", (_, before, text, after) => expect(carried(before, text)).toBe(after));
  it("stays bounded", () => expect(carried("", red.repeat(500)).length).toBeLessThan(300));
});

describe("colours can be read", () => {
  it("of the palette", () => {
    expect(palette(9)).toBe("bright-red");
    expect(palette(16)).toEqual([0, 0, 0]);
    expect(palette(231)).toEqual([255, 255, 255]);
    expect(palette(255)).toEqual([238, 238, 238]);
  });
  it.each([[[0, 0, 0]], [[0, 0, 128]], [[40, 40, 40]], [[255, 0, 0]]] as [[number, number, number]][])("%j", (colour) => expect(contrast(readable(colour), [13, 17, 16])).toBeGreaterThanOrEqual(4.5));
});
