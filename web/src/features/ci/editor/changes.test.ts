import { describe, expect, it } from "vitest";
import { changesOf, tally } from "./changes";

const before = `resources:
- name: shop
  type: git
  source: {uri: a}
- {name: nightly, type: time, source: {interval: 24h}}

jobs:
  - name: test
    plan:
      - get: shop
  - name: deploy # by hand
    plan:
      - task: ship
        config: {params: {name: x}}
`;

describe("changesOf", () => {
  it.each([
    ["nothing", before, []],
    ["a comment and blank lines", `# about\n${before.replace("type: git", "type: git   # the source")}\n\n`, []],
    ["a changed resource", before.replace("uri: a", "uri: b"), [{ what: "resource", name: "shop", how: "changed" }]],
    ["one in braces", before.replace("24h", "12h"), [{ what: "resource", name: "nightly", how: "changed" }]],
    ["a job that is renamed", before.replace("name: test", "name: unit"), [{ what: "job", name: "unit", how: "added" }, { what: "job", name: "test", how: "removed" }]],
    ["a deeper change", before.replace("name: x", "name: y"), [{ what: "job", name: "deploy", how: "changed" }]],
    ["a section", `${before}display:\n  background_image: x\n`, [{ what: "display", name: "", how: "added" }]],
    ["an order that differs", before.replace(/(jobs:\n)( {2}- name: test[\s\S]*?)( {2}- name: deploy[\s\S]*)$/, "$1$3$2"), []],
  ] as const)("sees %s", (_, after, found) => expect(changesOf(before, after)).toEqual(found));

  it("lists all of a new pipeline", () => expect(changesOf("", before).map(({ name, how }) => `${name} ${how}`)).toEqual(["shop added", "nightly added", "test added", "deploy added"]));
});

it("counts", () => expect(tally(changesOf(before, before.replace("name: test", "name: unit").replace("uri: a", "uri: b")))).toBe("1 added, 1 changed, 1 removed"));
