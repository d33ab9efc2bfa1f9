import { expect, it } from "vitest";
import { pieces } from "./mrkdwn";

it("takes a message apart by Slack's marks", () => {
  expect(pieces("<http://box/a|*A-1: it &lt;broke&gt;*>\nnew in *production*\n```\na & b\n```")).toEqual([
    { kind: "strong", text: "A-1: it <broke>", url: "http://box/a" },
    { kind: "text", text: "\nnew in " },
    { kind: "strong", text: "production" },
    { kind: "text", text: "\n" },
    { kind: "code", text: "a & b" },
  ]);
  expect(pieces("plain")).toEqual([{ kind: "text", text: "plain" }]);
  expect(pieces("<https://box/x>")).toEqual([{ kind: "text", text: "https://box/x", url: "https://box/x" }]);
});
