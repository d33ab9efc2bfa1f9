import { describe, expect, it } from "vitest";
import { buildAddress, choosePipeline, flyName, instanceSearch, jobAddress, pipelineAddress, pipelineTitle, sameVars } from "./address";
import { aPipeline } from "./fixtures";
import { pipelineSearch } from "./graph/search";
import { jobSearch } from "./job/search";
import { resourceSearch } from "./resource/search";
import { wallSearch } from "./wall/search";

const plain = aPipeline({ id: 1, name: "deploy" });
const main = aPipeline({ id: 2, name: "deploy", instance_vars: { branch: "main" } });
const login = aPipeline({ id: 3, name: "deploy", instance_vars: { branch: "login", n: 2 } });

describe("which pipeline an address names", () => {
  it.each([
    ["the one without vars", [main, plain], undefined, 1],
    ["else the first", [main, login], undefined, 2],
    ["by vars in any order", [main, login], { n: 2, branch: "login" }, 3],
    ["none with other vars", [main, login], { branch: "gone" }, undefined],
  ])("%s", (_, items, vars, id) => expect(choosePipeline(items, "deploy", vars)?.id).toBe(id));

  it("compares vars deeply", () => {
    expect(sameVars({ a: { x: [1, 2], y: null } }, { a: { y: null, x: [1, 2] } })).toBe(true);
    expect(sameVars({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
    expect(sameVars(undefined, {})).toBe(true);
  });
});

describe("addresses", () => {
  it("carry the vars of an instance", () => {
    expect(pipelineAddress(main)).toEqual({ to: "/teams/acme/pipelines/deploy", search: { vars: { branch: "main" } } });
    expect(jobAddress(main, "a b")).toEqual({ to: "/teams/acme/pipelines/deploy/jobs/a%20b", search: { vars: { branch: "main" } } });
    expect(pipelineAddress(plain)).toEqual({ to: "/teams/acme/pipelines/deploy" });
  });
  it("name builds of instances by id, others by name", () => {
    expect(buildAddress(plain, "ci", { id: 9, name: "4.1" }).to).toBe("/teams/acme/pipelines/deploy/jobs/ci/builds/4.1");
    expect(buildAddress(main, "ci", { id: 9, name: "4" }).to).toBe("/builds/9");
  });
  it("are named as fly names them", () => {
    expect(flyName(login)).toBe("deploy/branch:login,n:2");
    expect(flyName(plain)).toBe("deploy");
    expect(pipelineTitle(login)).toBe("deploy branch:login,n:2");
  });
});

describe("what addresses may say", () => {
  it("falls back where it makes no sense", () => {
    expect(wallSearch.parse({ view: "cube", show: 3, start: "fly" })).toEqual({ view: "wall", show: "all", start: "fly" });
    expect(pipelineSearch.parse({ view: "table", group: "build", vars: "no object" })).toMatchObject({ view: "table", group: "build" });
    expect(jobSearch.parse({ before: "-4" }).before).toBeUndefined();
    expect(jobSearch.parse({ before: "120" }).before).toBe(120);
    expect(resourceSearch.parse({ offset: "x", version: 7 })).toMatchObject({ offset: 0, version: 7 });
    expect(instanceSearch.parse({ vars: { branch: "main" } }).vars).toEqual({ branch: "main" });
  });
});
