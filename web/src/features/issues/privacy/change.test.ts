import { expect, it } from "vitest";
import { changesOf, found, meant, reasonWords, ruleWords, share, valueAt } from "./change";

const event = { user: { ip_address: "203.0.113.9" }, request: { headers: [{ key: "User-Agent", value: "Mozilla" }], data: { note: "x" } }, contexts: { "monitor.slug": { a: [1, { b: 2 }] } }, tags: [{ key: "a.b", value: "c" }] };

it.each([
  ["user.ip_address", "203.0.113.9"],
  ["request.headers[0].User-Agent", "Mozilla"],
  ["contexts.monitor.slug.a[1].b", 2],
  ["tags[0].a.b", "c"],
  ["request.cookies[0].x", undefined],
  ["user.ip_address.more", undefined],
  ["", event],
])("at %s is %j", (path, value) => expect(valueAt(event, path)).toEqual(value));

it("tells what stood there and what is left", () => {
  const after = { ...event, user: {}, request: { headers: [{ key: "User-Agent", value: "[Filtered]" }] } };
  const changed = [{ at: "user.ip_address", reason: "IP address" }, { at: "request.headers[0].User-Agent", reason: "key user-agent" }];
  expect(changesOf({ event_id: "", before: event, after, changed })).toEqual([
    { at: "user.ip_address", reason: "IP address", before: "203.0.113.9", after: undefined },
    { at: "request.headers[0].User-Agent", reason: "key user-agent", before: "Mozilla", after: "[Filtered]" },
  ]);
});

it("leaves out what nobody filled in", () => {
  const form = { rules: [{ kind: "key", value: " iban ", action: "mask" }, { kind: "path", value: " ", action: "mask" }], safe: ["", " ok "], defaults: true, ip: "keep" } as const;
  expect(meant({ ...form, rules: [...form.rules], safe: [...form.safe] })).toEqual({ rules: [{ kind: "key", value: "iban", action: "mask" }], safe: ["ok"], defaults: true, ip: "keep" });
});

it("speaks of rules and reasons", () => {
  expect(ruleWords({ kind: "key", value: "iban", action: "hash" })).toBe("what is called iban: a hash stays");
  expect(ruleWords({ kind: "pattern", value: "", action: "remove" })).toBe("texts like …: nothing stays");
  expect(reasonWords("key extra.cart.id")).toBe("path extra.cart.id");
  expect(reasonWords("key iban")).toBe("key iban");
});

it("tells how far an erasure is, and what it found", () => {
  expect(share({ total: 0, scanned: 0 }, false)).toBe(0);
  expect(share({ total: 200, scanned: 50 }, false)).toBe(0.25);
  expect(share({ total: 200, scanned: 50 }, true)).toBe(1);
  expect(found({ total: 9, events_rewritten: 1, tags: 2, issues: 4 })).toBe("1 event rewritten, 2 tag values");
  expect(found({})).toBe("nothing of theirs");
});
