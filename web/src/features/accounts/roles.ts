import type { Role } from "@/api/session";

/** Every role and what it may do, in one line. */
export const roles: { value: Role; label: string; may: string }[] = [
  { value: "owner", label: "owner", may: "everything, members and secrets too" },
  { value: "member", label: "member", may: "changes pipelines, secrets and rules" },
  { value: "pipeline-operator", label: "pipeline-operator", may: "runs, aborts, checks" },
  { value: "viewer", label: "viewer", may: "reads" },
];

export const roleOptions = roles.map(({ value, label }) => ({ value, label }));
