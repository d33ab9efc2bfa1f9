import type { Job } from "../queries";

/** Jobs that versions pass before they reach this one, and those that wait for it to pass them on. */
export function neighbours(job: Pick<Job, "name" | "inputs">, jobs: Pick<Job, "name" | "inputs">[]): { before: string[]; after: string[] } {
  const before = new Set(job.inputs.flatMap(({ passed }) => passed));
  const after = jobs.filter(({ inputs }) => inputs.some(({ passed }) => passed.includes(job.name))).map(({ name }) => name);
  return { before: [...before], after };
}
