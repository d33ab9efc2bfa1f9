import { expect, it } from "vitest";
import type { Status } from "@/ui/status";
import { type Block, type Layout, place } from "./grid";
import { differing, painting, standsAlike } from "./paint";

const block: Block = { name: "osl", cells: [], x: 0, y: 0, columns: 2 };
const at = (n: number) => Object.values(place(block, n, 5));
const map = (over: Partial<Layout> = {}): Layout => ({ blocks: [block], width: 100, height: 40, pitch: 5, ...over });

it.each<[string, Status[], Status[], boolean, number[], [Status, number[]][]]>([
  ["nothing where nothing differs", ["failed", "staged"], ["failed", "staged"], true, [], []],
  ["only what differs", ["failed", "staged"], ["failed", "succeeded"], true, [1], [["succeeded", [1]]]],
  ["who has come", ["failed"], ["failed", "failed"], true, [], [["failed", [1]]]],
  ["where somebody is gone", ["failed", "staged"], ["failed"], true, [1], []],
  ["everything where nothing is sure", ["failed"], ["failed"], false, [0], [["failed", [0]]]],
])("paints %s", (_, old, forms, sure, cleared, drawn) => {
  expect(differing(block, 5, old, forms, sure)).toEqual({ cleared: cleared.flatMap(at), drawn: new Map(drawn.map(([form, places]) => [form, places.flatMap(at)])) });
});

it("knows when groups stand elsewhere", () => {
  expect(standsAlike(map(), map())).toBe(true);
  for (const other of [map({ pitch: 10 }), map({ width: 90 }), map({ height: 60 }), map({ blocks: [] }), map({ blocks: [{ ...block, y: 20 }] }), map({ blocks: [{ ...block, name: "lhr" }] })]) {
    expect(standsAlike(map(), other)).toBe(false);
  }
});

it("goes on from wherever it was left", () => {
  const calls: string[] = [];
  const pen = new Proxy({} as CanvasRenderingContext2D, { get: (_, name) => (name === "measureText" ? () => ({ width: 5 }) : (...said: number[]) => calls.push([String(name), ...said].join(" "))), set: () => true });
  const cell = { id: "a", name: "a", site: "osl", variant: "", bundle: "", rollout: "", state: "accepted", agent_state: "succeeded", exit: null, heard: null, offline: false, cves: null, order: "a", rank: 9 };
  const whole = map({ blocks: [{ ...block, cells: [cell] }] });
  const painted: Parameters<typeof painting>[3] = [];
  const first = painting(pen, whole, () => "red", painted);
  first.next();
  expect(painted).toEqual([]);
  first.next();
  expect(painted).toMatchObject([{ forms: ["succeeded"], sure: true }]);

  // Nothing differs: nothing is drawn. What was interrupted is drawn wholly.
  calls.length = 0;
  for (const step of painting(pen, whole, () => "red", painted)) expect(step).toBeUndefined();
  expect(calls).toEqual([]);
  if (painted[0]) painted[0].sure = false;
  for (const step of painting(pen, whole, () => "red", painted)) expect(step).toBeUndefined();
  expect(calls.filter((call) => /^(clear|fill)Rect/.test(call))).toEqual(["clearRect 0 20 5 5", "fillRect 0 20 4 4", "clearRect 0 0 9 16"]);
});
