import { expect, it } from "vitest";
import { age, badge, deed, issueGlyph, termsWords } from "./words";

it.each([
  ["unresolved", "new", "new"],
  ["unresolved", "regressed", "regressed"],
  ["unresolved", "ongoing", undefined],
  ["resolved", "regressed", "resolved"],
  ["archived", "", "archived"],
] as const)("%s and %s carries %s", (state, substate, word) => expect(badge({ state, substate })?.word).toBe(word));

it.each([
  ["unresolved", "fatal", "failed"],
  ["unresolved", "warning", "errored"],
  ["unresolved", "info", "skipped"],
  ["resolved", "error", "succeeded"],
  ["archived", "error", "paused"],
] as const)("%s at %s shows %s", (state, level, glyph) => expect(issueGlyph({ state, level })).toBe(glyph));

it.each([
  [{ kind: "now" }, ""],
  [{ kind: "in_next_release", release: "1.4" }, "in the release after 1.4"],
  [{ kind: "until_events", events: 100, window: 60 }, "until it happens 100 more times within 60 min"],
  [{ kind: "until_time", until: "2026-04-17T12:00:00Z" }, "until 2026-04-17 12:00 UTC"],
] as const)("%j says %s", (terms, said) => expect(termsWords(terms)).toBe(said));

it.each([
  ["regressed", "1.5", "Came back in 1.5"],
  ["assigned", "bob", "gave it to bob"],
  ["archived", '{"kind":"until_escalating"}', "archived it until it escalates"],
  ["resolved", "{broken", "resolved it"],
  ["rewritten", "", "rewritten"],
])("%s with %s reads %s", (kind, detail, said) => expect(deed({ kind, detail })).toBe(said));

it("says ages as short as columns are", () => {
  const now = Date.parse("2026-04-17T12:00:00Z");
  expect([4, 121, 26 * 3600, 13 * 86_400].map((ago) => age(new Date(now - ago * 1000).toISOString(), now))).toEqual(["4 s", "2 m", "26 h", "13 d"]);
});
