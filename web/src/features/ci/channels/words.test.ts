import { describe, expect, it } from "vitest";
import { fate, kindWord, listed, told } from "./words";

describe("fate", () => {
  it.each([
    ["sent", 1, "", "succeeded", "sent"],
    ["sent", 3, "", "succeeded", "sent at attempt 3"],
    ["failed", 5, "550 no such user", "failed", "given up after 5 attempts"],
    ["waiting", 0, "", "pending", "on its way"],
    ["waiting", 2, "connection refused", "errored", "failed, tried again (2)"],
  ] as const)("%s after %i (%s) is %s: %s", (state, attempts, error, status, word) => expect(fate({ state, attempts, error })).toEqual({ status, word }));
});

it.each([
  [["build.failed"], [], "failed · all pipelines"],
  [["build.failed", "build.fixed"], ["web", "api"], "failed, fixed · web, api"],
  [["build.failed", "approval.requested"], [], "failed, approvals · all pipelines"],
  [["build.errored"], ["a", "b", "c", "d"], "errored · 4 pipelines"],
] as const)("tells %o of %o", (events, pipelines, said) => expect(told({ events: [...events], pipelines: [...pipelines] })).toBe(said));

it("reads addresses however they are separated", () => expect(listed("ann@a.example, bob@a.example\ncem@a.example;")).toEqual(["ann@a.example", "bob@a.example", "cem@a.example"]));

it("names the kinds", () => expect(kindWord("slack")).toBe("Slack"));
