import type { Status } from "@/ui/status";
import type { Approval, ForkApproval } from "./queries";

export const isFork = (one: Approval): one is ForkApproval => one.fork !== undefined;

type Titled = Pick<Approval, "pipeline" | "job" | "build" | "fork">;

/** "web / deploy #4" or, for a commit of a fork, "acme/web #12 at 1f81d08". */
export function title({ pipeline, job, build, fork }: Titled): string {
  if (!fork) return `${pipeline.name} / ${job.name} #${build.name}`;
  return `${fork.repository.split("/").slice(-2).join("/")} #${fork.number} at ${fork.sha.slice(0, 7)}`;
}

/** What deciding does, said before it is done. */
export function consequence(one: Titled, approve: boolean): string {
  if (one.fork) return approve ? "Builds take this commit, and this one only. They get no secret of the team." : "No build takes this commit. A newer one asks again.";
  return approve ? "The build goes on at once; what follows in its plan runs." : "The step fails, and the build with it. Nothing that is done is undone.";
}

/** What was done, said after. */
export function decided(one: Titled & Pick<Approval, "name">, approve: boolean): string {
  if (one.fork) return approve ? `${title(one)} may be built, without secrets` : `${title(one)} is not built`;
  return approve ? `${one.name} is approved; the build goes on` : `${one.name} is rejected; the build fails`;
}

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
