/** Every state an object can show. Each has a form and a colour of its own. */
export type Status =
  | "succeeded"
  | "failed"
  | "errored"
  | "running"
  | "aborted"
  | "paused"
  | "pending"
  | "skipped"
  | "staging"
  | "staged"
  | "deferred"
  | "quarantined"
  | "rolled-back"
  | "offline";

const words: Record<Status, string> = {
  succeeded: "Succeeded",
  failed: "Failed",
  errored: "Errored",
  running: "Running",
  aborted: "Aborted",
  paused: "Paused",
  pending: "Pending",
  skipped: "Skipped",
  staging: "Staging",
  staged: "Staged",
  deferred: "Deferred",
  quarantined: "Quarantined",
  "rolled-back": "Rolled back",
  offline: "Offline",
};

export const statuses = Object.keys(words) as Status[];

/** The word that stands beside the glyph. */
export function statusWord(status: Status): string {
  return words[status];
}
