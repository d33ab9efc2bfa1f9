import type { Status } from "@/ui/status";
import type { Approval } from "./queries";

/** How a question ended: the glyph and the words beside it. */
export function outcome({ state, decided_by: by }: Pick<Approval, "state" | "decided_by">): { status: Status; word: string } {
  const who = by ? ` by ${by}` : "";
  switch (state) {
    case "approved":
      return { status: "succeeded", word: `approved${who}` };
    case "rejected":
      return { status: "failed", word: `rejected${who}` };
    case "expired":
      return { status: "errored", word: "nobody decided in time" };
    case "withdrawn":
      return { status: "aborted", word: "the build ended first" };
    default:
      return { status: "paused", word: "waits" };
  }
}

/** What makes a build wait, to copy into a pipeline. */
export const approvalSnippet = `resources:
- name: production
  type: approval
  source: {}

jobs:
- name: deploy
  plan:
  - put: production
    params: {approvers: [owner], reason_required: true, timeout: 24h}
  - task: deploy`;
