import type { Look } from "../looks";
import type { Trust } from "../queries";

/** How a signed document stands. */
export function documentLook({ newest, expired }: Pick<Trust["documents"][number], "newest" | "expired">): Look {
  if (!newest) return { status: "skipped", word: "replaced" };
  return expired ? { status: "failed", word: "expired" } : { status: "succeeded", word: "in force" };
}

/** How many nodes trust which root, the newest first. */
export function behind(byRoot: Record<string, number>, newest: number): { root: number; nodes: number; old: boolean }[] {
  return Object.entries(byRoot)
    .filter(([, nodes]) => nodes > 0)
    .map(([root, nodes]) => ({ root: Number(root), nodes, old: Number(root) < newest }))
    .toSorted((a, b) => b.root - a.root);
}

/** The commands by which a team begins to trust its own keys. */
export const ceremony = (url: string, portalKey: string) => `signalbox bundle keys init --keys keys --trust trust \\
    --timestamp-key "${portalKey || "PUBLIC_KEY_OF_THIS_SERVER"}"
export SIGNALBOX_URL=${url} SIGNALBOX_TOKEN=YOUR_TOKEN
signalbox bundle publish --trust trust`;
