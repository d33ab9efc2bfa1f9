import type { ProjectIngest, ProjectLimit } from "../queries";

export type Used = { limit: ProjectLimit; used: number; share: number };

const hoursOf: Record<ProjectLimit["per"], number> = { minute: 0, hour: 1, month: 720 };

/** The span whose counters tell about a limit; minutes are too short to be counted. */
export const spanOf = ({ per }: ProjectLimit): number => hoursOf[per];

/** How much of a limit is used, by what was taken in its category in its time. */
export function used(limit: ProjectLimit, ingest: Pick<ProjectIngest, "reasons">): Used {
  const taken = ingest.reasons.filter(({ outcome, category }) => outcome === "accepted" && (limit.category === "" || category === limit.category)).reduce((sum, { quantity }) => sum + quantity, 0);
  return { limit, used: taken, share: limit.count > 0 ? taken / limit.count : 1 };
}

/** What to say of it while there is still time: nothing below four fifths. */
export function warning({ share }: Used): "near" | "full" | undefined {
  if (share >= 1) return "full";
  return share >= 0.8 ? "near" : undefined;
}
