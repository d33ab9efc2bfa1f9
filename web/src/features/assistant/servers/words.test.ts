import { expect, it } from "vitest";
import { inUse, place, secretsOf, standing } from "./words";

it("says how servers stand", () => {
  expect(standing("down")).toEqual({ status: "failed", word: "Down" });
  expect(place({ kind: "stdio", command: ["/bin/x", "--read"], url: "" })).toBe("/bin/x --read");
  expect(place({ kind: "http", command: [], url: "https://x.example/mcp" })).toBe("https://x.example/mcp");
  expect(
    inUse([
      { permission: "read", changed: false },
      { permission: "ask", changed: true },
      { permission: "off", changed: false },
    ]),
  ).toBe("1 of 3 tools in use, 1 changed and locked");
});

it("reads secrets line by line", () => {
  expect(secretsOf("TOKEN=a=b\n\n GONE \nX-Key= v")).toEqual({ TOKEN: "a=b", GONE: "", "X-Key": " v" });
});
