import type { Artifact, ReleaseItem } from "./queries";

/** A share from 0 to 1 as people compare it: "99.98 %", "100 %", "4 %"; nothing when nobody counted. */
export function percent(share: number | null | undefined, digits = 0): string | undefined {
  if (share === null || share === undefined) return undefined;
  const most = 100 - 10 ** -digits;
  const value = share * 100;
  // Almost all is not all: a crash must not vanish in rounding, and a first user neither.
  if (value < 100 && value > most) return `${most.toFixed(digits)} %`;
  if (digits === 0 && value > 0 && value < 1) return "< 1 %";
  return `${value.toFixed(value === 100 ? 0 : digits)} %`;
}

/** How good it is that so many sessions did not crash: as people speak of it, three nines are good. */
export function healthStatus(crashFree: number | null | undefined): "succeeded" | "errored" | "failed" | undefined {
  if (crashFree === null || crashFree === undefined) return undefined;
  if (crashFree >= 0.995) return "succeeded";
  return crashFree >= 0.98 ? "errored" : "failed";
}

/** When a release came into the world: said, or else seen. */
export const releasedAt = ({ released_at: said, created_at: made }: Pick<ReleaseItem, "released_at" | "created_at">) => said ?? made;

/** The releases around one, the newest first: two that came later and those before it. */
export function neighbours(all: ReleaseItem[], id: number, most = 8): ReleaseItem[] {
  const at = all.findIndex((one) => one.id === id);
  if (at < 0) return all.slice(0, most);
  const from = Math.max(0, Math.min(at - 2, all.length - most));
  return all.slice(from, from + most);
}

/** The first line of a commit's message, and what follows. */
export function message(text: string): { subject: string; rest: string } {
  const [subject = "", ...rest] = text.trim().split("\n");
  return { subject, rest: rest.join("\n").trim() };
}

/** "3 files", with the distribution when one was named. */
export const artifactName = ({ checksum, dist }: Artifact) => (dist ? `${checksum.slice(0, 12)} for ${dist}` : checksum.slice(0, 12));

/** Where a repository is on the web; repositories are named as their tools name them. */
export function repositoryUrl(repository: string, web = "https://github.com"): string | undefined {
  const plain = repository.replace(/\.git$/, "").replace(/^git@([^:]+):/, "https://$1/");
  if (/^https?:\/\//.test(plain)) return plain;
  return /^[\w.-]+\/[\w.-]+$/.test(plain) ? `${web}/${plain}` : undefined;
}

export function commitUrl(repository: string, sha: string, web?: string): string | undefined {
  const base = repositoryUrl(repository, web);
  return base && /^[0-9a-f]{7,64}$/i.test(sha) ? `${base}/commit/${sha}` : undefined;
}

/** A line of a file as it was at a commit. */
export function fileUrl(repository: string, sha: string, path: string, line?: number, web?: string): string | undefined {
  const base = repositoryUrl(repository, web);
  const clean = path.replace(/^(?:\.\/|\/)+/, "").split(/[?#]/)[0] ?? "";
  if (!base || !clean || /^[a-z]+:/i.test(clean) || clean.includes("node_modules/") || clean.startsWith("..")) return undefined;
  return `${base}/blob/${sha}/${clean.split("/").map(encodeURIComponent).join("/")}${line ? `#L${line}` : ""}`;
}
