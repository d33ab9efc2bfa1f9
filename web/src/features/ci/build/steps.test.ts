import { describe, expect, it } from "vitest";
import type { Build, Step } from "../queries";
import { buildMarkdown, versionWords } from "./markdown";
import { buildSearch } from "./search";
import { firstLine, flatten, notRun, type Shown, shownSteps, took } from "./steps";

const step = (kind: string, name = "", children: Step[] = [], more: Partial<Step> = {}): Step => ({ id: `${kind}-${name}`, kind, name, status: "succeeded", children, ...more });
const told = (shown: Shown[], depth = 0): string[] => shown.flatMap((one) => [`${"  ".repeat(depth)}${one.kind} ${one.name}`.trimEnd(), ...told(one.children, depth + 1)]);

describe("the tree as people wrote it", () => {
  it("puts hooks beside their step", () => {
    const tree = step("ensure", "", [step("on_failure", "", [step("task", "test"), step("put", "alerts")]), step("task", "coverage")]);
    expect(told(shownSteps([tree]))).toEqual(["task test", "on_failure put alerts", "ensure task coverage"]);
  });
  it("keeps a hook of several steps together", () => {
    expect(told(shownSteps([step("on_success", "", [step("task", "a"), step("in_parallel", "", [step("put", "b"), step("put", "c")])])]))).toEqual(["task a", "on_success in_parallel", "  put b", "  put c"]);
  });
  it("says a timeout at its step and counts attempts", () => {
    expect(told(shownSteps([step("timeout", "1h", [step("task", "a")]), step("retry", "", [step("task", "b"), step("task", "b")])]))).toEqual(["task a (at most 1h)", "attempts", "  task b (1 of 2)", "  task b (2 of 2)"]);
  });
});

it("finds the first line below a step", () => {
  expect(firstLine(step("do", "", [step("get", "a"), step("task", "b", [], { line_first: 9 }), step("task", "c", [], { line_first: 4 })]))).toBe(4);
  expect(firstLine(step("do"))).toBe(0);
  expect(flatten([step("do", "", [step("get", "a")])]).map(({ kind }) => kind)).toEqual(["do", "get"]);
});

it("says how long a step took", () => {
  const began = "2026-04-17T12:00:00Z";
  expect(took(step("task", "a", [], { status: "skipped" }), 0)).toBe("not run");
  expect(took(step("task"), 0)).toBe("");
  expect(took(step("task", "a", [], { started_at: began, ended_at: "2026-04-17T12:00:38Z" }), 0)).toBe("38 s");
  expect(took(step("task", "a", [], { started_at: began }), Date.parse(began) + 124_000)).toBe("2 m 04 s");
});

it("says why steps did not run", () => {
  const skipped = (name: string) => step("task", name, [], { status: "skipped" });
  const failed = step("task", "test", [], { status: "failed" });
  expect(notRun([failed, skipped("image"), skipped("deploy")])).toBe("image and deploy did not run because test failed.");
  expect(notRun([failed, ..."abcde".split("").map(skipped)])).toBe("a, b, c and 2 more did not run because test failed.");
  expect(notRun([failed])).toBe("");
});

describe("the address", () => {
  it("is read as far as it is valid", () => {
    expect(buildSearch.parse({ tab: "inputs", q: 42, match: "3", time: "off", wrap: true, other: 1 })).toEqual({ tab: "inputs", q: "42", match: 3, time: "off", wrap: true });
    expect(buildSearch.parse({ tab: "x", match: -1, time: "y" })).toEqual({});
  });
});

describe("as Markdown", () => {
  const build = {
    id: 42, name: "42", status: "failed", team: "main", cause: "push 7c1e9f2 by ann.", created_at: "2026-04-17T12:00:00Z", duration_ms: 369_000, pipeline: { id: 1, name: "web" }, job: { id: 2, name: "ci" },
    inputs: [{ name: "shop", resource: "shop", resource_id: 1, type: "git", version: { ref: "7c1e9f24ab0f6f34cc3a77a1e2d0a1b9c3d4e5f6" }, metadata: [], first: true }], outputs: [], steps: [], waiting: [], recent: [],
    failure: { step: "t", name: "test", exit_status: 1, last_lines: ["\x1b[31mFAIL\x1b[0m ```", "10 %\r90 %"], same_in_last: 0, compared: 9 },
  } satisfies Build;
  it("says what, why and where, without colours, in a fence that holds", () => {
    expect(buildMarkdown(build, "http://x/builds/42")).toBe("**[web / ci #42](http://x/builds/42) failed**\n\nat `test`, exit 1 · after 6 m 09 s · push 7c1e9f2 by ann\n\n````\nFAIL ```\n90 %\n````\n\n- shop: ref 7c1e9f2\n");
  });
  it("shortens digests, nothing else", () => expect(versionWords({ digest: `sha256:${"ab".repeat(32)}`, tag: "1.2.3" })).toBe("digest sha256:abababa, tag 1.2.3"));
});
