/** How far a token reaches into one capability. */
export type Reach = "" | "read" | "write" | "admin";

export const reachOptions: { value: Reach; label: string }[] = [
  { value: "", label: "nothing" },
  { value: "read", label: "read" },
  { value: "write", label: "read, write" },
  { value: "admin", label: "administer" },
];

/** The scopes as the server writes them: "*", or "ci:read" for each capability that is reached. */
export function scopesFor(all: boolean, reach: Record<string, Reach>): string[] {
  if (all) return ["*"];
  return Object.entries(reach).flatMap(([capability, how]) => (how ? [`${capability}:${how}`] : []));
}
