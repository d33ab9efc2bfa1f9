import { expect, it } from "vitest";
import { byDay, ofKind } from "./looks";
import type { Happening } from "./queries";

const event = (kind: string, at = "2026-11-21T10:00:00Z"): Happening => ({ at, capability: kind === "node" ? "edge" : "ci", kind, title: kind, path: "/", tone: "plain" });

it("narrows to a kind, and to nothing less when none is chosen", () => {
  const all = ["push", "pull_request", "build", "deploy", "node"].map((kind) => event(kind));
  expect(ofKind(all, "push").map(({ kind }) => kind)).toEqual(["push", "pull_request"]);
  expect(ofKind(all, "edge").map(({ kind }) => kind)).toEqual(["node"]);
  expect(ofKind(all, "ci")).toHaveLength(4);
  expect(ofKind(all, undefined)).toHaveLength(5);
  expect(ofKind(all, "no such kind")).toHaveLength(5);
});

it("puts events of a day together", () => {
  const days = byDay([event("build", "2026-11-21T10:00:00Z"), event("push", "2026-11-21T09:00:00Z"), event("push", "2026-11-20T23:00:00Z")], (at) => at.slice(0, 10));
  expect(days.map(({ day, events }) => [day, events.length])).toEqual([
    ["2026-11-21", 2],
    ["2026-11-20", 1],
  ]);
});
