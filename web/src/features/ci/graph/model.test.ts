import { describe, expect, it } from "vitest";
import { aBuild, aGraph, aJob, aPipeline, aResource } from "../fixtures";
import { places, sizeOf } from "./layout";
import { drawing, feeding, jobsOf, pathThrough } from "./model";
import { jobLine, waitingJobs } from "./words";

const get = (resource: string, trigger: boolean, ...passed: string[]) => ({ name: resource, resource, trigger, passed });

const graph = aGraph({
  pipeline: aPipeline({ name: "web" }),
  groups: [{ name: "release", jobs: ["release"] }],
  resources: [aResource({ id: 1, name: "shop" }), aResource({ id: 2, name: "image" })],
  jobs: [
    aJob({ id: 1, name: "ci", inputs: [get("shop", true)], next_build: aBuild({ status: "started" }) }),
    aJob({ id: 2, name: "lint", inputs: [get("shop", true)] }),
    aJob({ id: 3, name: "build", inputs: [get("shop", true, "ci", "lint"), get("tools", false)], outputs: [{ name: "image", resource: "image" }] }),
    aJob({ id: 4, name: "release", inputs: [get("image", false, "build")], outputs: [{ name: "done", resource: "done" }] }),
  ],
});

describe("what is drawn", () => {
  const drawn = drawing(graph);
  const edges = drawn.edges.map(({ id, triggers }) => `${id}${triggers ? "" : " (lazy)"}`);

  it("shows a resource once where it enters and once behind those that pass it", () => {
    const pills = drawn.nodes.filter(({ kind }) => kind === "pill").map(({ id }) => id);
    expect(pills.sort()).toEqual(["after:build:image", "after:ci+lint:shop", "after:release:done", "in:shop", "in:tools"]);
  });

  it("tells what starts a job from what it only takes", () => {
    expect(edges.sort()).toEqual([
      "after:build:image>job:release (lazy)",
      "after:ci+lint:shop>job:build",
      "in:shop>job:ci",
      "in:shop>job:lint",
      "in:tools>job:build (lazy)",
      "job:build>after:build:image",
      "job:ci>after:ci+lint:shop",
      "job:lint>after:ci+lint:shop",
      "job:release>after:release:done",
    ]);
  });

  it("draws one group as if the rest were not there", () => {
    expect(jobsOf(graph, "release").map(({ name }) => name)).toEqual(["release"]);
    expect(jobsOf(graph, "gone")).toHaveLength(4);
    expect(drawing(graph, "release").nodes.map(({ id }) => id).sort()).toEqual(["after:release:done", "in:image", "job:release"]);
  });

  it("finds everything up and down the stream, and nothing beside it", () => {
    const lit = pathThrough(drawn.edges, "job:ci");
    expect([...lit.nodes].sort()).toEqual(["after:build:image", "after:ci+lint:shop", "after:release:done", "in:shop", "job:build", "job:ci", "job:release"]);
    expect(lit.edges.has("in:shop>job:lint")).toBe(false);
    expect(lit.edges.has("in:tools>job:build")).toBe(false);
  });

  it("marks what feeds a running build", () => expect([...feeding(drawn)]).toEqual(["in:shop>job:ci"]));
});

describe("the layout", () => {
  const drawn = drawing(graph);
  const where = places(drawn);

  it("goes from left to right along every edge", () => {
    for (const { from, to } of drawn.edges) {
      const [a, b] = [where.get(from), where.get(to)];
      expect(a && b && a.x + a.width < b.x, `${from} before ${to}`).toBe(true);
    }
  });

  it("lets no two nodes overlap", () => {
    const all = [...where.values()];
    for (const [index, a] of all.entries()) {
      for (const b of all.slice(index + 1)) {
        expect(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y).toBe(true);
      }
    }
  });

  it("keeps long names within bounds", () => {
    const node = { id: "job:x", kind: "job" as const, job: aJob({ name: "a".repeat(200) }) };
    expect(sizeOf(node).width).toBe(240);
  });

  it("lays out 200 nodes before anybody wonders", () => {
    const jobs = Array.from({ length: 100 }, (_, id) => aJob({ id, name: `job-${id}`, inputs: id === 0 ? [get("a", true)] : [get("a", true, `job-${Math.floor((id - 1) / 2)}`)] }));
    const started = performance.now();
    places(drawing(aGraph({ jobs, resources: [] })));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("the second line of a job", () => {
  const now = Date.parse("2026-04-17T12:02:04Z");
  it.each([
    [aJob(), "never ran"],
    [aJob({ paused: true, paused_by: "bob" }), "paused by bob"],
    [aJob({ next_build: aBuild({ name: "43", status: "started", ended_at: undefined }), last_builds: [aBuild()] }), "#43 · 2 m 04 s of ~10 s"],
    [aJob({ next_build: aBuild({ name: "31", status: "pending" }), waiting: ["The job is paused."] }), "#31 waits: the job is paused."],
    [aJob({ latest_build: aBuild({ name: "9" }) }), "#9 · 1 min ago"],
  ])("%#", (job, line) => expect(jobLine(job, now)).toBe(line));
});

describe("jobs that wait", () => {
  it("says once that the pipeline is paused, above", () => {
    const job = aJob({ waiting: ["The pipeline is paused.", "Resource shop is being checked first."] });
    expect(waitingJobs([job, aJob()], true)).toEqual([{ job, sentences: ["Resource shop is being checked first."] }]);
    expect(waitingJobs([aJob({ waiting: ["The pipeline is paused."] })], true)).toEqual([]);
  });
});
