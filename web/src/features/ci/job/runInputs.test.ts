import { describe, expect, it } from "vitest";
import type { RunInput } from "../queries";
import { given, mistakes, startValues } from "./runInputs";

const input = (change: Partial<RunInput>): RunInput => ({ name: "version", type: "string", description: "", required: false, default: null, options: [], pattern: "", ...change });
const env = input({ name: "env", type: "choice", options: ["staging", "production"], default: "staging" });
const dry = input({ name: "dry_run", type: "bool", default: true });
const token = input({ name: "token", type: "secret", required: true });

describe("startValues", () => {
  it("takes the defaults, and no secret", () => expect(startValues([input({ default: "1.0" }), env, dry, { ...token, default: "x" }])).toEqual({ version: "1.0", env: "staging", dry_run: true, token: "" }));
  it("takes an earlier build's values", () =>
    expect(
      startValues([env, dry, token], [
        { name: "env", type: "choice", value: "production" },
        { name: "dry_run", type: "bool", value: false },
        { name: "token", type: "secret", value: null },
      ]),
    ).toEqual({ env: "production", dry_run: false, token: "" }));
  it("passes over a choice that is none any more", () => expect(startValues([{ ...env, default: "gone" }])).toEqual({ env: "" }));
  it("takes the first choice where one is required", () => expect(startValues([{ ...env, default: null, required: true }])).toEqual({ env: "staging" }));
});

describe("mistakes", () => {
  it.each([
    [input({ required: true }), "", "This is required."],
    [input({ required: true }), "1.0", undefined],
    [input({ pattern: String.raw`^\d+\.\d+$` }), "1", String.raw`It must match ^\d+\.\d+$`],
    [input({ pattern: String.raw`^\d+\.\d+$` }), "1.0", undefined],
    [input({ pattern: String.raw`^\d+$` }), "", undefined],
    [input({ pattern: "(?i)abc(" }), "zzz", undefined],
    [token, "", "This is required."],
    [dry, false, undefined],
  ] as const)("%o with %o: %s", (one, value, said) => expect(mistakes([one], { [one.name]: value })[one.name]).toBe(said));
});

it("sends nothing for what was left empty", () => expect(given([input({}), env, dry], { version: "", env: "production", dry_run: false, stranger: "x" })).toEqual({ env: "production", dry_run: false }));
