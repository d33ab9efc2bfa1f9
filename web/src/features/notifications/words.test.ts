import { describe, expect, it } from "vitest";
import { plainManner, suggestedManner } from "./MannerFields";
import type { Manner, Rule } from "./queries";
import { clock, fate, kindWord, listed, mannerWord, ofRules, spanWord, standing, told } from "./words";

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
  [[], [], "only what rules send here"],
  [["build.errored"], ["a", "b", "c", "d"], "errored · 4 pipelines"],
] as const)("tells %o of %o", (events, pipelines, said) => expect(told({ events: [...events], pipelines: [...pipelines] })).toBe(said));

it("reads addresses however they are separated", () => expect(listed("ann@a.example, bob@a.example\ncem@a.example;")).toEqual(["ann@a.example", "bob@a.example", "cem@a.example"]));

it("names the kinds", () => expect(kindWord("slack")).toBe("Slack"));

it("says why a message is held, and for how many it stands", () => {
  const held = { state: "held", attempts: 0, error: "" } as const;
  expect(fate({ ...held, held_for: "quiet" })).toEqual({ status: "paused", word: "held by the quiet hours" });
  expect(fate({ ...held, held_for: "limit", more: 3 }).word).toBe("held by the limit, with 3 more");
  expect(fate({ ...held, state: "grouped" })).toEqual({ status: "skipped", word: "told with others" });
  expect(fate({ ...held, state: "failed" }).word).toBe("not sent");
});

it.each([
  [{ days: [], from: "22:00", to: "07:00" }, "22:00–07:00"],
  [{ days: ["sun", "sat"], from: "00:00", to: "00:00" }, "all day Sat, Sun"],
  [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "18:00", to: "18:00" }, "18:00 for a day Mon–Fri"],
  [{ days: ["mon", "wed", "fri"], from: "12:00", to: "13:00" }, "12:00–13:00 Mon, Wed, Fri"],
] as const)("says %o as %s", (span, said) => expect(spanWord({ ...span, days: [...span.days] })).toBe(said));

const loud: Manner = { group_minutes: 0, limit: 0, limit_minutes: 0, quiet: { zone: "", spans: [], pass: [] } };

it.each([
  [loud, ""],
  [{ ...loud, group_minutes: 5 }, "same in one per 5 min"],
  [{ ...loud, limit: 3, limit_minutes: 60, quiet: { zone: "Europe/Oslo", spans: [{ days: [], from: "22:00", to: "07:00" }], pass: [] } }, "3 per 1 h · quiet 22:00–07:00 Europe/Oslo"],
] satisfies [Manner, string][])("says %o as %s", (manner, said) => expect(mannerWord(manner)).toBe(said));

it("sends no minutes of no limit, and nothing that passes no quiet hours", () => {
  expect(plainManner({ ...suggestedManner, quiet: { zone: "Europe/Oslo", spans: [], pass: ["build.failed"] } })).toEqual({ ...loud, group_minutes: 5 });
  expect(plainManner({ ...loud, limit: 2 }).limit_minutes).toBe(1);
});

const rule: Rule = { id: "logs:1", capability: "logs", name: "Slow", watches: "When p95 is high", to: [{ kind: "mail", name: "Ops" }], enabled: true, fixed: false, problem: "", held: 0, path: "/" };
const now = Date.parse("2026-11-21T12:00:00Z");

it.each([
  [rule, "on"],
  [{ ...rule, enabled: false, problem: "x" }, "off"],
  [{ ...rule, problem: "x", held: 2 }, "in trouble"],
  [{ ...rule, held: 2 }, "2 held"],
  [{ ...rule, muted_until: "2026-11-21T13:00:00Z" }, "muted"],
  [{ ...rule, muted_until: "2026-11-21T11:00:00Z", firing: true }, "firing"],
  [{ ...rule, to: [] }, "tells nobody"],
] satisfies [Rule, string][])("%o is %s", (one, word) => expect(standing(one, now).word).toBe(word));

it("finds rules by name, sentence, place and capability", () => {
  const other: Rule = { ...rule, id: "issues:2", capability: "issues", name: "New", watches: "When an error is new", to: [] };
  expect(ofRules([rule, other], { q: "OPS" })).toEqual([rule]);
  expect(ofRules([rule, other], { q: "new" })).toEqual([other]);
  expect(ofRules([rule, other], { capability: "logs", q: "new" })).toEqual([]);
  expect(ofRules([rule, other], {})).toHaveLength(2);
});

it("tells the day only when it is another one", () => {
  expect(clock(new Date(now).toISOString(), now)).toMatch(/^\d\d:\d\d$/);
  expect(clock(new Date(now + 48 * 3_600_000).toISOString(), now)).toMatch(/^Mon,? 23 Nov \d\d:\d\d$/);
});
