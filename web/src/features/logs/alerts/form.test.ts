import { describe, expect, it } from "vitest";
import { begin, conditionOf, deliveryGlyph, deliveryWord, draftOf, figureOf, figureText, fromSearch, nameOf, ownPath, span, spans, standing, throttleWords, valueWords, withKind } from "./form";
import type { Alert, AlertTargets } from "./queries";

const targets: AlertTargets = {
  channels: [
    { id: "off", kind: "slack", name: "old", summary: "", enabled: false },
    { id: "m1", kind: "mail", name: "Ops", summary: "ops@example.com", enabled: true },
  ],
};

it("begins with the first channel that works", () => {
  expect(begin(undefined, targets).actions).toEqual([{ type: "mail", target: "m1" }]);
  expect(begin(undefined, { channels: [] }).actions).toEqual([]);
});

describe("a condition", () => {
  const form = { ...begin(undefined, targets), query: " level:error ", by: "service", over: "x", days: 3, least: "0" };
  it.each([
    ["threshold", { kind: "threshold", query: "level:error", minutes: 5, figure: "count()", op: ">", value: 10, by: "service" }],
    ["absence", { kind: "absence", query: "level:error", minutes: 15, by: "service" }],
    ["pattern", { kind: "pattern", query: "level:error", minutes: 60, days: 3 }],
    ["ratio", { kind: "ratio", query: "level:error", minutes: 15, op: ">", value: 5, over: "x", least: 1 }],
  ] as const)("%s holds only what it needs", (kind, expected) => expect(conditionOf(withKind(form, kind))).toEqual(expected));

  it("is written as it was read", () => {
    const alert = {
      name: "slow",
      condition: { kind: "threshold", query: "q", minutes: 45, figure: 'p95("took ms")', by: "host", op: ">=", value: 1.5 },
      actions: [{ type: "mail", target: "m1", label: "", problem: "" }],
      throttle_minutes: 10,
      remind_minutes: 60,
      resolve: false,
    } as unknown as Alert;
    const read = begin(alert, targets);
    expect(read).toMatchObject({ figure: "p95", field: "took ms" });
    expect(draftOf(read, "main", 7)).toEqual({ team: "main", days: 7, condition: alert.condition, actions: [{ type: "mail", target: "m1" }], throttle_minutes: 10, remind_minutes: 60, resolve: false });
  });
});

it.each([
  ["count()", { figure: "count", field: "" }],
  ["p95(duration)", { figure: "p95", field: "duration" }],
  ["quantile(0.93, ms)", { figure: "quantile(0.93, ms)", field: "" }],
  ["count(x)", { figure: "count(x)", field: "" }],
])("the figure %s is taken apart and put together", (text, parts) => {
  expect(figureOf(text)).toEqual(parts);
  expect(figureText(parts)).toBe(text);
});

it.each([
  ["level:error timeout", { query: "level:error timeout" }],
  ["level:error | stats count() by (service)", { query: "level:error", figure: "count", field: "", by: "service" }],
  ["| stats p95(duration) as slow", { query: "", figure: "p95", field: "duration", by: "" }],
  ['"a | b" | top 5 host', { query: '"a | b"' }],
  ["x | stats count(), max(ms)", { query: "x" }],
])("%s is watched", (query, form) => expect(fromSearch(query)).toEqual(form));

it.each([
  [1, "1 minute"],
  [15, "15 minutes"],
  [60, "1 hour"],
  [90, "90 minutes"],
  [10080, "7 days"],
])("%d minutes are %s", (minutes, said) => expect(span(minutes)).toBe(said));

it("offers a span that is set though nobody would choose it", () => {
  expect(spans([5, 60], 45).map(({ value }) => value)).toEqual(["5", "45", "60"]);
  expect([0, 60, 10].map(throttleWords)).toEqual(["each time", "once an hour", "every 10 minutes"]);
});

it("names an alert by what has to happen", () => {
  const form = begin(undefined, targets);
  expect(nameOf(form, "When there are more than 10 lines of “a, b” within 5 minutes, send mail to Ops, at most every 10 minutes.")).toBe("There are more than 10 lines of “a, b” within 5 minutes");
  expect(nameOf(form, "x".repeat(120))).toHaveLength(100);
  expect(nameOf({ ...form, name: " mine " }, "x")).toBe("mine");
});

it("says how an alert stands", () => {
  expect(standing({ state: "firing" })).toEqual({ status: "failed", word: "firing" });
  expect(standing({ state: "ok", muted_until: "2026-04-17T12:00:00Z" }).word).toBe("well, muted");
  expect((["off", "waiting", "error"] as const).map((state) => standing({ state }).status)).toEqual(["paused", "pending", "errored"]);
});

it("writes values, and how messages fared", () => {
  expect([valueWords(1204, "threshold"), valueWords(7.512345, "ratio"), valueWords(null, "absence")]).toEqual(["1,204", "7.512 %", "–"]);
  expect(deliveryWord({ about: "resolved", state: "sent" })).toBe("that it is over sent");
  expect(deliveryGlyph({ state: "waiting" })).toBe("running");
  expect(ownPath("http://h:1/teams/main/logs?q=a%20b")).toBe("/teams/main/logs?q=a%20b");
  expect(ownPath("https://elsewhere.example/x")).toBeUndefined();
});
