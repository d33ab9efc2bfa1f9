import type { Status } from "@/ui/status";

/** How something stands: its form, and the word beside it. */
export type Look = { status: Status; word: string };

const agents: Record<string, Status> = {
  idle: "pending",
  staging: "staging",
  staged: "staged",
  verifying: "running",
  deferred: "deferred",
  installing: "running",
  "health-checking": "running",
  "rolling-back": "running",
  succeeded: "succeeded",
  "rolled-back": "rolled-back",
  failed: "failed",
  quarantined: "quarantined",
};

/** The states that nodes tell, in the order of how much they ask for somebody. */
export const agentStates = ["failed", "quarantined", "rolled-back", "deferred", "installing", "health-checking", "rolling-back", "verifying", "succeeded", "staged", "staging", "idle"];

/** How a node stands: whether it belongs to the fleet, whether it is there, then what it is at. Offline is normal, never red. */
export function nodeLook({ state, agent_state: agent, offline }: { state: string; agent_state: string; offline: boolean }): Look {
  if (state === "pending") return { status: "paused", word: "waits for a decision" };
  if (state === "rejected" || state === "revoked") return { status: "aborted", word: state };
  if (offline) return { status: "offline", word: "offline" };
  return agentLook(agent);
}

export const agentLook = (agent: string): Look => ({ status: agents[agent] ?? "pending", word: agent || "idle" });

const rollouts: Record<string, Status> = {
  "awaiting-approval": "pending",
  running: "running",
  paused: "paused",
  "rolling-back": "running",
  completed: "succeeded",
  aborted: "aborted",
  expired: "deferred",
  "rolled-back": "rolled-back",
};

export const rolloutLook = (state: string): Look => ({ status: rollouts[state] ?? "pending", word: state.replaceAll("-", " ") });

const members: Record<string, Status> = {
  waiting: "pending",
  released: "staging",
  installing: "running",
  deferred: "deferred",
  away: "offline",
  succeeded: "succeeded",
  "rolled-back": "rolled-back",
  failed: "failed",
  quarantined: "quarantined",
  silent: "errored",
  skipped: "skipped",
  missed: "skipped",
  reverting: "running",
  reverted: "rolled-back",
};

/** The states of a node in a rollout: what failed first, what waits last. */
export const memberStates = ["failed", "quarantined", "rolled-back", "silent", "reverting", "reverted", "deferred", "installing", "released", "succeeded", "away", "missed", "skipped", "waiting"];

export const memberLook = (state: string): Look => ({ status: members[state] ?? "pending", word: state.replaceAll("-", " ") });

const exits: Record<number, string> = {
  0: "all went well",
  1: "an error of the agent, nothing was changed",
  2: "a part has the wrong hash",
  3: "the signatures do not hold",
  4: "it was not the time",
  5: "the install failed, the state before is back",
  6: "a health check failed, it was rolled back",
  7: "the rollback failed, it needs hands",
  8: "refused before anything was touched",
  9: "too old, expired, or for other nodes",
  10: "another run was active",
  11: "this bundle is in quarantine",
  12: "a reboot is needed to finish",
};

/** What an exit code means, in a few words. */
export const exitWords = (exit: number | null): string => (exit === null ? "no report" : (exits[exit] ?? `exit ${exit}`));
