import { describe, expect, it } from "vitest";
import { aBuild, aPipeline, at } from "../fixtures";
import { arrange, newestBuilds, totals, visible } from "./arrange";
import { latestLine, note, ordinal } from "./note";
import { parsePins } from "./pins";

const names = (groups: ReturnType<typeof arrange>) => groups.map(({ name, pipelines }) => `${name}: ${pipelines.map(({ id }) => id).join(" ")}`);

const team = [
  aPipeline({ id: 1, name: "web", status: "failed" }),
  aPipeline({ id: 2, name: "payments-api", running: 1 }),
  aPipeline({ id: 3, name: "payments-web", status: "errored" }),
  aPipeline({ id: 4, name: "deploy", instance_vars: { branch: "main" } }),
  aPipeline({ id: 5, name: "deploy", instance_vars: { branch: "x" }, paused: true, status: "failed" }),
  aPipeline({ id: 6, name: "docs", status: "pending" }),
];

describe("groups", () => {
  it("puts instances under their name, words under the word, the rest last", () => {
    expect(names(arrange(team))).toEqual(["payments: 2 3", "deploy: 4 5", "Other: 1 6"]);
  });
  it("keeps one instance apart from a word", () => {
    expect(names(arrange([aPipeline({ id: 1, name: "deploy", instance_vars: { a: 1 } }), aPipeline({ id: 2, name: "deploy-docs" })]))).toEqual(["deploy: 1", "Other: 2"]);
  });
  it("is empty without pipelines", () => expect(arrange([])).toEqual([]));
});

describe("which are shown", () => {
  const ids = (search: Parameters<typeof visible>[1], pins: number[] = []) => visible(team, search, new Set(pins)).map(({ id }) => id);
  it.each([
    [{ show: "all" as const }, [], [1, 2, 3, 4, 5, 6]],
    [{ show: "all" as const }, [6, 3], [3, 6, 1, 2, 4, 5]],
    [{ show: "pinned" as const }, [6, 99], [6]],
    [{ show: "failing" as const }, [], [1, 3]],
    [{ show: "all" as const, group: "deploy" }, [], [4, 5]],
    [{ show: "all" as const, group: "gone" }, [], []],
  ])("%o with pins %o", (search, pins, shown) => expect(ids(search, pins)).toEqual(shown));
});

describe("the line of totals", () => {
  it.each([
    [team, "6 in acme · 1 running, 1 failing, 1 errored, 1 waiting, 1 paused"],
    [[aPipeline()], "1 in acme · all well"],
    [[], "none in acme"],
  ])("%#", (pipelines, line) => expect(totals(pipelines, "acme")).toBe(line));
});

describe("the corner of a cell", () => {
  const failed = (id: number) => aBuild({ id, status: "failed" });
  it.each([
    [aPipeline({ paused: true, paused_by: "carol" }), "by carol"],
    [aPipeline({ last_builds: [failed(1), failed(2), failed(3)] }), "3rd in a row"],
    [aPipeline({ last_change: { sha: "7c1e9f2b7c1e", at: at(0), by: "ann" } }), "7c1e9f2"],
    [aPipeline(), ""],
  ])("%#", (pipeline, text) => expect(note(pipeline).text).toBe(text));
  it("counts in words", () => expect([1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal)).toEqual(["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]));
  it("prefers what runs over what waits behind it", () => {
    const builds = [aBuild({ name: "4", status: "started", ended_at: undefined }), aBuild({ name: "5", status: "pending" })];
    expect(latestLine({ last_builds: builds, running: 1 }, Date.parse(at(5)))).toBe("ci #4 · 5 s");
  });
});

describe("pins", () => {
  it.each([
    ["[1,2]", [1, 2]],
    ['[1,"2",null]', [1]],
    ['{"a":1}', []],
    ["not json", []],
  ])("%s", (stored, pins) => expect([...parsePins(stored)]).toEqual(pins));
});

it("gathers the newest builds of all", () => {
  const [a, b, c] = [1, 2, 3].map((id) => aBuild({ id }));
  if (!a || !b || !c) throw new Error("three builds");
  expect(newestBuilds([aPipeline({ last_builds: [a, c] }), aPipeline({ last_builds: [b] })], 2).map(({ id }) => id)).toEqual([2, 3]);
});
