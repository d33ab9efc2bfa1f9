import { describe, expect, it } from "vitest";
import { connectionsSearch, repositoriesSearch } from "./search";
import { ensured, hookAct, hookRefusal, hookState, signedIn } from "./words";

const fresh = { kind: "token", error: "", login: "" } as const;

it.each([
  [{}, "pending", "not tested"],
  [{ login: "ann" }, "succeeded", "as ann"],
  [{ tested_at: "2026-01-01T00:00:00Z" }, "succeeded", "answers"],
  [{ kind: "app", login: "acme" }, "errored", "no installation chosen"],
  [{ kind: "app", login: "acme", installation: 7 }, "succeeded", "as acme"],
  [{ kind: "app", login: "acme", installation: 7, state: "suspended", error: "no" }, "errored", "suspended"],
  [{ kind: "app", login: "acme", installation: 7, state: "removed" }, "failed", "uninstalled"],
  [{ login: "ann", error: "Bad credentials" }, "failed", "Bad credentials"],
] as const)("says of %j how it is signed in", (change, status, word) => expect(signedIn({ ...fresh, ...change })).toEqual({ status, word }));

describe("the webhook of a repository", () => {
  const of = (state: "none" | "ours" | "broken" | "foreign", more = {}) => ({ hook: { state }, admin: true, archived: false, ...more });

  it.each([
    ["none", "Create", "skipped", "none"],
    ["ours", "Remove", "succeeded", "set up"],
    ["broken", "Mend", "failed", "broken"],
    ["foreign", "Take over", "errored", "entered by hand"],
  ] as const)("%s: %s", (state, act, status, word) => {
    expect(hookAct(of(state))).toBe(act);
    expect(hookState(of(state))).toEqual({ status, word });
    expect(hookRefusal(of(state))).toBe(false);
  });

  it("says what GitHub said", () => expect(hookState({ hook: { state: "broken", problem: "it has another secret" } }).word).toBe("it has another secret"));
  it("is not offered to those who may not", () => expect(hookRefusal(of("none", { admin: false }))).toContain("administrator"));
  it("is not offered where nothing happens", () => expect(hookRefusal(of("none", { archived: true }))).toContain("archived"));
  it("can always be removed", () => expect(hookRefusal(of("ours", { admin: false, archived: true }))).toBe(false));
});

it.each([
  ["ok", "", "acme tells this server what happens from now on", undefined],
  ["waiting", "It is slow.", "GitHub is asked again for the webhook of acme. It is slow.", undefined],
  ["broken", "Not an owner.", "GitHub refused the webhook of acme. Not an owner.", "bad"],
] as const)("says what came of a webhook that is %s", (state, problem, text, kind) => expect(ensured("acme", { state, problem })).toEqual(kind ? { text, kind } : { text }));

it("reads addresses as far as they are valid", () => {
  expect(connectionsSearch.parse({ connected: "c1", problem: "no", odd: 1 })).toEqual({ connected: "c1", problem: "no" });
  expect(repositoriesSearch.parse({ connection: "c1", q: "web", page: -2 })).toEqual({ connection: "c1", q: "web" });
});
