import { expect, it } from "vitest";
import { agentStates, exitWords, memberLook, memberStates, nodeLook, rolloutLook } from "./looks";

const red = ["failed", "quarantined"];

it.each(agentStates)("never shows a node red that is offline and was %s", (agent) => {
  expect(nodeLook({ state: "accepted", agent_state: agent, offline: true })).toEqual({ status: "offline", word: "offline" });
});

it("says first whether a node belongs to the fleet", () => {
  expect(nodeLook({ state: "pending", agent_state: "idle", offline: true }).word).toBe("waits for a decision");
  expect(nodeLook({ state: "revoked", agent_state: "failed", offline: false })).toEqual({ status: "aborted", word: "revoked" });
  expect(nodeLook({ state: "accepted", agent_state: "", offline: false })).toEqual({ status: "pending", word: "idle" });
});

it.each(["away", "deferred", "waiting", "missed", "skipped"])("does not show %s as a failure", (state) => {
  expect(red).not.toContain(memberLook(state).status);
});

it("knows a form for every state, and has one for those to come", () => {
  for (const state of memberStates.filter((one) => one !== "waiting")) expect(memberLook(state).status).not.toBe("pending");
  expect(memberLook("something-new")).toEqual({ status: "pending", word: "something new" });
  expect(rolloutLook("rolling-back")).toEqual({ status: "running", word: "rolling back" });
});

it("says what an exit code means", () => {
  expect(exitWords(7)).toBe("the rollback failed, it needs hands");
  expect(exitWords(null)).toBe("no report");
  expect(exitWords(99)).toBe("exit 99");
});
