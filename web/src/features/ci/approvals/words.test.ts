import { expect, it } from "vitest";
import { consequence, decided, outcome, title } from "./words";

it.each([
  ["approved", "ann", "succeeded", "approved by ann"],
  ["rejected", "bob", "failed", "rejected by bob"],
  ["rejected", "", "failed", "rejected"],
  ["expired", "", "errored", "nobody decided in time"],
  ["withdrawn", "", "aborted", "the build ended first"],
  ["waiting", "", "paused", "waits"],
] as const)("%s by %s", (state, decided_by, status, word) => expect(outcome({ state, decided_by })).toEqual({ status, word }));

const build = { pipeline: { id: 1, name: "web" }, job: { id: 2, name: "deploy" }, build: { id: 3, name: "4" }, name: "production" };
const none = { id: 0, name: "" };
const fork = {
  pipeline: none,
  job: none,
  build: none,
  name: "pull request #12",
  fork: { repository: "github.com/acme/web", head_repository: "mallory/web", number: 12, sha: "1f81d08aa0", title: "Fix a typo", author: "mallory", url: "https://github.com/acme/web/pull/12" },
};

it.each([
  [build, true, "web / deploy #4", /goes on at once/, "production is approved; the build goes on"],
  [build, false, "web / deploy #4", /step fails/, "production is rejected; the build fails"],
  [fork, true, "acme/web #12 at 1f81d08", /no secret/, "acme/web #12 at 1f81d08 may be built, without secrets"],
  [fork, false, "acme/web #12 at 1f81d08", /newer one asks again/, "acme/web #12 at 1f81d08 is not built"],
] as const)("says what deciding does (%#)", (one, approve, named, means, after) => {
  expect(title(one)).toBe(named);
  expect(consequence(one, approve)).toMatch(means);
  expect(decided(one, approve)).toBe(after);
});
