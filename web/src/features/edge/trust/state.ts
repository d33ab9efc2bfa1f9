import type { Look } from "../looks";
import type { Trust } from "../queries";
import { environment } from "../shell/commands";

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

type PortalKey = Pick<Trust["portal_keys"][number], "active" | "created_at">;

/** Whether a key of this server counts now, will, or did: what was made after the one that counts waits for a root that names it. */
export function portalLook(key: PortalKey, all: PortalKey[]): Look {
  if (key.active) return { status: "succeeded", word: "active" };
  const since = Math.max(0, ...all.filter(({ active }) => active).map(({ created_at: at }) => Date.parse(at)));
  return since > 0 && Date.parse(key.created_at) < since ? { status: "skipped", word: "retired" } : { status: "pending", word: "next: no root names it yet" };
}

/** The commands by which a team begins to trust its own keys. */
export const ceremony = (url: string, portalKey: string) => `signalbox bundle keys init --keys keys --trust trust \\
    --timestamp-key "${portalKey || "PUBLIC_KEY_OF_THIS_SERVER"}"
${environment(url)}
signalbox bundle publish --trust trust`;

export const rotated = ["release", "root", "timestamp"] as const;
export type Rotated = (typeof rotated)[number];

// The documents know the release role as the one that signs what is to be installed.
const documentRole: Record<Rotated, string> = { release: "targets", root: "root", timestamp: "timestamp" };

/** The commands by which one key takes the place of another. */
export function rotation(role: Rotated, { roles, portal_keys: own }: Pick<Trust, "roles" | "portal_keys">, url: string): string {
  const holders = roles.find(({ role: name }) => name === documentRole[role]);
  const root = roles.find(({ role: name }) => name === "root");
  const old = holders?.keys[0]?.id.slice(0, 12) ?? "OLD_KEY_ID";
  const next = role === "timestamp" ? `"${own.find(({ active }) => !active)?.public_key ?? "NEXT_KEY_OF_THIS_SERVER"}"` : `keys/${role}-next.pub`;
  const signs = Array.from({ length: root?.threshold ?? 1 }, (_, at) => `signalbox bundle keys sign --key keys/root-${at + 1}.key`);
  return [
    ...(role === "timestamp" ? [] : [`signalbox bundle keys new keys/${role}-next`]),
    `signalbox bundle keys rotate --role ${role} ${old} ${next}`,
    ...signs,
    ...(role === "release" ? ["signalbox bundle sign --key keys/release-next.key"] : []),
    environment(url),
    "signalbox bundle publish --trust trust",
  ].join("\n");
}
