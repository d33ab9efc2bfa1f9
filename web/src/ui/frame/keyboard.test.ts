// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { createMatcher, isPressable, isTyping, pressed, shownKeys } from "./keyboard";

const press = (key: string, held: Partial<KeyboardEvent> = {}) => pressed({ key, ctrlKey: false, metaKey: false, altKey: false, ...held });

describe("pressed", () => {
  it("names a press as actions do", () => {
    expect(press("j")).toBe("j");
    expect(press("E")).toBe("E");
    expect(press("K", { ctrlKey: true })).toBe("mod+k");
    expect(press("k", { metaKey: true })).toBe("mod+k");
  });
});

describe("shownKeys", () => {
  it.each([
    ["mod+k", false, "Ctrl K"],
    ["mod+k", true, "⌘ K"],
    ["g p", false, "g p"],
    ["E", false, "Shift E"],
    ["ArrowLeft", false, "←"],
    ["Escape", false, "Esc"],
  ])("%s (mac %s) is %s", (keys, mac, expected) => {
    expect(shownKeys(keys, mac)).toBe(expected);
  });
});

describe("createMatcher", () => {
  const bindings = [{ keys: "g p" }, { keys: "p" }, { keys: "g s" }, { keys: "mod+k" }, { keys: "?" }];

  it("follows a sequence, and does not take its last key for a command of its own", () => {
    const match = createMatcher();
    expect(match("g", bindings, false)).toBeUndefined();
    expect(match("p", bindings, false)).toEqual({ keys: "g p" });
    expect(match("p", bindings, false)).toEqual({ keys: "p" });
  });

  it("forgets a sequence that was not finished in time", () => {
    let clock = 0;
    const match = createMatcher(() => clock);
    match("g", bindings, false);
    clock = 5000;
    expect(match("p", bindings, false)).toEqual({ keys: "p" });
  });

  it("starts again after a wrong key", () => {
    const match = createMatcher();
    match("g", bindings, false);
    expect(match("z", bindings, false)).toBeUndefined();
    expect(match("p", bindings, false)).toEqual({ keys: "p" });
    expect(match("g", bindings, false)).toBeUndefined();
    expect(match("g", bindings, false)).toBeUndefined();
    expect(match("s", bindings, false)).toEqual({ keys: "g s" });
  });

  it("leaves letters alone when they are switched off, and keeps the rest", () => {
    const match = createMatcher();
    expect(match("p", bindings, true)).toBeUndefined();
    expect(match("?", bindings, true)).toBeUndefined();
    expect(match("mod+k", bindings, true)).toEqual({ keys: "mod+k" });
  });

  it("lets the binding registered last win", () => {
    const match = createMatcher<{ keys: string; from: string }>();
    expect(match("r", [{ keys: "r", from: "frame" }, { keys: "r", from: "page" }], false)?.from).toBe("page");
  });
});

describe("where a key lands", () => {
  const element = (html: string) => {
    document.body.innerHTML = html;
    return document.body.querySelector("[data-at]") as Element;
  };

  it.each([
    ["<input data-at>", true],
    ["<textarea data-at></textarea>", true],
    ["<select data-at></select>", true],
    ['<div class="cm-editor"><b data-at></b></div>', true],
    ['<input type="checkbox" data-at>', false],
    ["<button data-at></button>", false],
    ["<p data-at></p>", false],
  ])("%s takes text: %s", (html, expected) => {
    expect(isTyping(element(html))).toBe(expected);
  });

  it("leaves Enter to what can be pressed", () => {
    expect(isPressable(element('<a href="/"><b data-at></b></a>'))).toBe(true);
    expect(isPressable(element("<td data-at></td>"))).toBe(false);
    expect(isPressable(null)).toBe(false);
  });
});
