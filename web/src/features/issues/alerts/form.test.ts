import { expect, it } from "vitest";
import { begin, dayNames, deliveryGlyph, deliveryWord, draftOf, nameOf, ownPath, span, spans, throttleWords, withType } from "./form";
import type { Alert, AlertTargets } from "./queries";

const targets: AlertTargets = { channels: [{ id: "off", kind: "slack", name: "old", summary: "", enabled: false }, { id: "m1", kind: "mail", name: "Ops", summary: "ops@example.com", enabled: true }], github: true, environments: ["prod"] };

it("begins with the first channel that works", () => {
  expect(begin(undefined, targets).actions).toEqual([{ type: "mail", target: "m1" }]);
  expect(begin(undefined, { ...targets, channels: [] }).actions).toEqual([]);
});

it("sends only what a condition needs", () => {
  const form = { ...begin(undefined, targets), query: "level:fatal", name: " x " };
  expect(draftOf(form, "main")).toEqual({ team: "main", name: "x", project: 0, condition: { type: "new" }, environment: "", query: "level:fatal", actions: [{ type: "mail", target: "m1" }], throttle_minutes: 60 });
  const often = withType(form, "events");
  expect(draftOf({ ...often, count: "5" }, "main").condition).toEqual({ type: "events", count: 5, minutes: 60 });
  const spike = withType({ ...often, actions: [...often.actions, { type: "github_issue", target: "acme/shop" }], throttle: 0 }, "spike");
  expect(draftOf(spike, "main")).toMatchObject({ condition: { type: "spike", count: 10, minutes: 60, factor: 3 }, query: "", actions: [{ type: "mail" }], throttle_minutes: 60 });
  expect(draftOf(withType(form, "crash_free"), "main").condition).toEqual({ type: "crash_free", count: 50, minutes: 60, percent: 99 });
  expect(draftOf(withType(form, "monitor"), "main").condition).toEqual({ type: "monitor" });
  expect(draftOf({ ...withType(form, "monitor"), outcomes: ["late"] }, "main").condition).toEqual({ type: "monitor", outcomes: ["late"] });
  expect(draftOf({ ...form, actions: [{ type: "github_issue", target: " " }] }, "main").actions).toEqual([]);
});

it("writes a rule as it is", () => {
  const alert = { name: "n", project: { id: 3, slug: "shop" }, condition: { type: "users", count: 7, minutes: 45 }, environment: "prod", query: "q", actions: [{ type: "mail", target: "m1", label: "", problem: "" }], throttle_minutes: 10 } as unknown as Alert;
  expect(draftOf(begin(alert, targets), "main")).toEqual({ team: "main", name: "n", project: 3, condition: { type: "users", count: 7, minutes: 45 }, environment: "prod", query: "q", actions: [{ type: "mail", target: "m1" }], throttle_minutes: 10 });
});

it.each([
  [1, "1 minute"],
  [15, "15 minutes"],
  [60, "1 hour"],
  [90, "90 minutes"],
  [2880, "2 days"],
  [10080, "1 week"],
])("%d minutes are %s", (minutes, said) => expect(span(minutes)).toBe(said));

it.each([
  [0, "every time"],
  [60, "once an hour"],
  [1440, "once a day"],
  [10, "every 10 minutes"],
])("%d minutes between two are %s", (minutes, said) => expect(throttleWords(minutes)).toBe(said));

it("offers a span that is set though nobody would choose it", () => {
  expect(spans([5, 60], 45).map(({ value }) => value)).toEqual(["5", "45", "60"]);
  expect(spans([5, 60], 60)).toHaveLength(2);
});

it("names a rule by its sentence", () => {
  const form = begin(undefined, targets);
  expect(nameOf(form, "When an error is new, send mail to Ops.")).toBe("When an error is new, send mail to Ops");
  expect(nameOf(form, "x".repeat(120))).toHaveLength(100);
  expect(nameOf({ ...form, name: "mine" }, "x")).toBe("mine");
});

it("tells how messages fared", () => {
  expect(["sent", "failed", "waiting", "skipped", "forgotten"].map((state) => deliveryGlyph({ state } as never))).toEqual(["succeeded", "failed", "running", "skipped", "skipped"]);
  expect(deliveryWord({ state: "waiting" })).toBe("on its way");
});

it("names days, and finds the way to its own pages", () => {
  expect(dayNames(Date.parse("2026-04-17T12:00:00Z"))).toEqual(["Sat", "Sun", "Mon", "Tue", "Wed", "Thu", "today"]);
  expect(ownPath("http://h:1/teams/main/issues/7/events/x", "http://h:1")).toBe("/teams/main/issues/7/events/x");
  expect(ownPath("https://evil.example/x", "http://h:1")).toBeUndefined();
});
