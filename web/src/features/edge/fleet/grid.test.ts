import { describe, expect, it } from "vitest";
import { type Cell, grouped, groupWords, hit, layout, merged, moved, pitchFor, place, rankOf, read } from "./grid";

const counts = { states: {}, agent_states: {}, offline: 0, lost: 0, sites: {}, variants: {}, bundles: {} };
const words = ["", "osl", "debian/12/amd64", "b-1", "accepted", "idle", "failed"];
const raw = (id: string, agent = 5, offline = 0): (string | number)[] => [id, `edge-${id}`, 1, 2, 3, 0, 4, agent, -1, 30, offline, -1];
const answer = (cells: (string | number)[][], total = cells.length) => ({ cells, words, counts, total, at: 7 });
const cell = (over: Partial<Cell>): Cell => {
  const made = { id: "a", name: "a", site: "osl", variant: "", bundle: "", rollout: "", state: "accepted", agent_state: "idle", exit: null, heard: null, offline: false, cves: null, order: over.name ?? "a", ...over };
  return { ...made, rank: rankOf(made) };
};

describe("what is read", () => {
  it("looks words up and knows what is not known", () => {
    const [only] = read(answer([raw("1")]), 100_000).cells;
    expect(only).toEqual({ id: "1", name: "edge-1", site: "osl", variant: "debian/12/amd64", bundle: "b-1", rollout: "", state: "accepted", agent_state: "idle", exit: null, heard: 70_000, offline: false, cves: null, order: "edge-000000001", rank: 12 });
  });

  it("takes changes in, and gives up when a node is gone", () => {
    const before = read(answer([raw("1"), raw("2")]), 0);
    const after = merged(before, answer([raw("2", 6), raw("3")], 3), 5);
    expect(after?.cells.map(({ id, agent_state: state }) => [id, state])).toEqual([["1", "idle"], ["2", "failed"], ["3", "idle"]]);
    expect(merged(before, answer([], 1), 5)).toBeUndefined();
    expect(merged(before, answer([raw("3")], 2), 5)).toBeUndefined();
  });

  it("keeps nodes by name, whoever comes or is called otherwise", () => {
    const first = read(answer([raw("10"), raw("2")]), 0);
    const more = merged(first, answer([raw("7")], 3), 5);
    const called = more && merged(more, answer([["7", "edge-1", ...raw("7").slice(2)]], 3), 6);
    expect([first, more, called].map((fleet) => fleet?.cells.map(({ name }) => name).join(" "))).toEqual(["edge-2 edge-10", "edge-2 edge-7 edge-10", "edge-1 edge-2 edge-10"]);
    expect([...(called?.places ?? [])]).toEqual([["7", 0], ["2", 1], ["10", 2]]);
  });
});

describe("groups", () => {
  it("stand by name as numbers count, with what needs somebody first and what is away last", () => {
    const cells = [cell({ id: "1", name: "n1", site: "s10" }), cell({ id: "2", name: "n2", site: "s9", offline: true, agent_state: "failed" }), cell({ id: "3", name: "n3", site: "s9" }), cell({ id: "4", name: "n4", site: "s9", agent_state: "failed" }), cell({ id: "5", name: "n5", site: "" })];
    expect(grouped(cells, "site").map(({ name, cells: members }) => [name, ...members.map(({ id }) => id)])).toEqual([["no site", "5"], ["s9", "4", "3", "2"], ["s10", "1"]]);
  });

  it.each([
    [[cell({}), cell({ agent_state: "failed" })], "1 failed", true],
    [[cell({ offline: true, agent_state: "failed" }), cell({ offline: true }), cell({})], "2 offline", false],
    [[cell({}), cell({ offline: true })], "2", false],
  ])("say what is wrong there, and that being offline is not", (cells, said, bad) => {
    expect(groupWords(cells)).toEqual({ words: said, bad });
  });
});

describe("the map", () => {
  const cells = (n: number) => Array.from({ length: n }, (_, at) => cell({ id: String(at) }));
  const map = layout([{ name: "a", cells: cells(12) }, { name: "b", cells: cells(3) }, { name: "c", cells: cells(1) }], 450, 20);

  it("makes squares as large as there is room for", () => {
    expect([pitchFor(10), pitchFor(1000), pitchFor(10_000)]).toEqual([20, 10, 5]);
  });

  it("places groups side by side and then below the tallest", () => {
    expect(map.blocks.map(({ x, y, columns }) => [x, y, columns])).toEqual([[0, 0, 10], [220, 0, 10], [0, 80, 10]]);
    expect(map.height).toBe(120);
  });

  it("uses the whole width of a phone", () => {
    expect(layout([{ name: "a", cells: cells(3) }], 150, 20).blocks[0]?.columns).toBe(7);
  });

  it("finds at a point what it put there", () => {
    for (const [block, at] of [[0, 0], [0, 11], [1, 2], [2, 0]] as const) {
      const { x, y } = place(map.blocks[block] as never, at, map.pitch);
      expect(hit(map, x + 1, y + 1)).toEqual({ block, at });
    }
    expect(hit(map, 5, 5)).toBeUndefined();
    expect(hit(map, 60, 45)).toBeUndefined();
  });

  it.each([
    [undefined, "ArrowRight", { block: 0, at: 0 }],
    [{ block: 0, at: 0 }, "ArrowRight", { block: 0, at: 1 }],
    [{ block: 0, at: 0 }, "ArrowDown", { block: 0, at: 10 }],
    [{ block: 0, at: 11 }, "ArrowRight", { block: 1, at: 0 }],
    [{ block: 1, at: 0 }, "ArrowLeft", { block: 0, at: 11 }],
    [{ block: 0, at: 0 }, "ArrowLeft", { block: 0, at: 0 }],
  ])("from %o %s leads on", (from, key, to) => {
    expect(moved(map, from, key)).toEqual(to);
  });
});
