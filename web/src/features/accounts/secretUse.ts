import type { Secret } from "./queries";

/** Who got a secret's value last: "web / deploy #12", or the check of a pipeline where no build is named. */
export function inWords({ pipeline, job, number, build }: NonNullable<Secret["last_used_by"]>): string {
  if (!build) return `a check of ${pipeline}`;
  if (!job) return `${pipeline}, build ${build}`;
  return `${pipeline} / ${job} #${number || build}`;
}
