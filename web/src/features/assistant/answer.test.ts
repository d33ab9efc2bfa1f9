import { describe, expect, it } from "vitest";
import { parts, pieces, unescape } from "./answer";

describe("pieces", () => {
  it("reads links, strong words and code", () => {
    expect(pieces("**2 bugs** in [#7 Login](https://x.example/7) by `ann`.")).toEqual([
      { kind: "strong", text: "2 bugs" },
      { kind: "text", text: " in " },
      { kind: "link", text: "#7 Login", url: "https://x.example/7" },
      { kind: "text", text: " by " },
      { kind: "code", text: "ann" },
      { kind: "text", text: "." },
    ]);
  });

  it("keeps foreign text text", () => {
    expect(pieces(String.raw`\[a\](https://evil.example) &lt;b&gt; \*\*no\*\*`)).toEqual([{ kind: "text", text: "[a](https://evil.example) <b> **no**" }]);
    expect(pieces("[x](javascript:alert)")).toEqual([{ kind: "text", text: "[x](javascript:alert)" }]);
  });

  it("reads brackets within a link's title", () => {
    expect(pieces(String.raw`[dependabot\[bot\]](/a)`)).toEqual([{ kind: "link", text: "dependabot[bot]", url: "/a" }]);
  });
});

describe("parts", () => {
  it("gathers lists and quotes", () => {
    expect(parts("Head\n- a\n- b\n\n> q\n\nEnd").map((part) => part.kind)).toEqual(["text", "list", "quote", "text"]);
    expect(parts("")).toEqual([]);
  });
});

describe("unescape", () => {
  it("takes back what was escaped", () => {
    expect(unescape(String.raw`\_a\\ &lt;!channel&gt;`)).toBe(String.raw`_a\ <!channel>`);
  });
});
