import { describe, expect, it } from "vitest";
import { parseQuestion, questionText } from "./question";

describe("parseQuestion", () => {
  it.each([
    ["log4j-core < 2.17.1", { name: "log4j-core", below: "2.17.1" }],
    ["log4j-core<2.17.1", { name: "log4j-core", below: "2.17.1" }],
    ["lodash 4.17.20", { name: "lodash", version: "4.17.20" }],
    ["lodash@4.17.20", { name: "lodash", version: "4.17.20" }],
    ["@babel/core@7.1.0", { name: "@babel/core", version: "7.1.0" }],
    ["golang.org/x/net v0.17.0", { name: "golang.org/x/net", version: "0.17.0" }],
    ["  openssl ", { name: "openssl" }],
    ["@babel/core", { name: "@babel/core" }],
    ["", { name: undefined }],
  ])("%s", (text, asked) => expect(parseQuestion(text)).toEqual(asked));
});

it.each(["log4j-core < 2.17.1", "lodash 4.17.20", "openssl", ""])("writes %s as it is read", (text) => expect(questionText(parseQuestion(text))).toBe(text));
