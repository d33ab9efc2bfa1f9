import { agentLook, type Look } from "../looks";
import type { NodeEvent } from "../queries";

const looks: Record<string, Look> = {
  enrolled: { status: "pending", word: "asked to be let in" },
  accepted: { status: "succeeded", word: "accepted" },
  rejected: { status: "aborted", word: "rejected" },
  revoked: { status: "aborted", word: "revoked" },
  rotated: { status: "succeeded", word: "has a new key" },
  changed: { status: "pending", word: "changed" },
  released: { status: "pending", word: "let be tried again" },
  lost: { status: "offline", word: "lost" },
  returned: { status: "succeeded", word: "came back" },
  doubled: { status: "errored", word: "a number was used twice" },
};

/** How an event of a node looks: what it told of itself as a state, the rest as what was done to it. */
export const eventLook = ({ kind, state }: Pick<NodeEvent, "kind" | "state">): Look => looks[kind] ?? agentLook(state);
