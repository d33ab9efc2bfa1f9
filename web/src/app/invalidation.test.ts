import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import type { Feature } from "@/ui/frame/feature";
import { createInvalidator, staleKeys } from "./invalidation";

const features: Pick<Feature, "topics">[] = [
  { topics: { "ci.build": ({ id }) => [["ci", "builds", id], ["ci", "wall"]] } },
  { topics: { "issues.issue": () => [["issues"]] } },
];

describe("staleKeys", () => {
  it("follows the rule of the feature", () => {
    expect(staleKeys({ topic: "ci.build", id: "42" }, features)).toEqual([["ci", "builds", "42"], ["ci", "wall"]]);
  });

  it("takes the whole capability where there is no rule", () => {
    expect(staleKeys({ topic: "ci.worker", id: "1" }, features)).toEqual([["ci"]]);
    expect(staleKeys({ topic: "accounts.team", id: "1" }, [])).toEqual([["accounts"]]);
  });
});

/** A client whose refetches end when the test says so. */
function setup() {
  const client = new QueryClient();
  const rounds: { keys: unknown; end: () => void }[] = [];
  vi.spyOn(client, "invalidateQueries").mockImplementation((filters) => new Promise((end) => rounds.push({ keys: filters?.queryKey ?? "all", end: () => end() })));
  const settle = async () => {
    const open = rounds.splice(0);
    for (const { end } of open) end();
    await Promise.resolve().then(() => Promise.resolve()).then(() => Promise.resolve());
  };
  return { invalidator: createInvalidator(client), rounds, settle, asked: () => rounds.map(({ keys }) => keys) };
}

describe("createInvalidator", () => {
  it("acts on the first change at once", () => {
    const { invalidator, asked } = setup();
    invalidator.stale([["ci", "wall"]]);
    expect(asked()).toEqual([["ci", "wall"]]);
  });

  it("gathers what comes during a refetch, and loses none of it", async () => {
    const { invalidator, asked, settle } = setup();
    invalidator.stale([["ci", "wall"]]);
    for (let times = 0; times < 50; times += 1) invalidator.stale([["ci", "wall"], ["ci", "builds", "42"]]);
    expect(asked()).toHaveLength(1);
    await settle();
    await vi.waitFor(() => expect(asked()).toEqual([["ci", "wall"], ["ci", "builds", "42"]]));
    await settle();
    invalidator.stale([["ci", "jobs"]]);
    await vi.waitFor(() => expect(asked()).toEqual([["ci", "jobs"]]));
  });

  it("takes everything for stale after a reset, once", async () => {
    const { invalidator, asked, settle } = setup();
    invalidator.stale([["ci"]]);
    invalidator.stale([["ci", "wall"]]);
    invalidator.reset();
    await settle();
    await vi.waitFor(() => expect(asked()).toEqual(["all"]));
  });

  it("asks again for what was on its way for the first time when it changed", async () => {
    const client = new QueryClient();
    const answers: ((text: string) => void)[] = [];
    const observer = new QueryObserver(client, { queryKey: ["ci", "build", 1], queryFn: () => new Promise<string>((answer) => answers.push(answer)) });
    const stop = observer.subscribe(() => undefined);
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    createInvalidator(client).stale([["ci", "build", 1]]);
    answers[0]?.("pending");
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    answers[1]?.("started");
    await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe("started"));
    stop();
  });
});
