import type { QueryClient } from "@tanstack/react-query";
import { Problem } from "@/api/problem";
import { findJob, type InstanceVars } from "../address";
import { jobBuildsQuery } from "../queries";

type Where = { team: string; name: string; vars?: InstanceVars; job: string; build: string };

/** A build, or the job in which it may still be made. */
export type Found = { id: number; job?: undefined } | { id?: undefined; job: number };

/** The build that an address names: found page by page, newest first. One that is numbered beyond the newest is awaited. */
export async function findBuild(client: QueryClient, where: Where): Promise<Found> {
  const { id } = await findJob(client, where);
  let before: number | undefined;
  for (;;) {
    const page = await client.fetchQuery({ ...jobBuildsQuery(id, before, 200), staleTime: before ? 60_000 : 0 });
    const found = page.items.find((build) => build.name === where.build);
    if (found) return { id: found.id };
    if (before === undefined && isNext(where.build, page.items[0]?.name)) return { job: id };
    before = page.items.at(-1)?.id;
    if (!page.more || !before) throw new Problem({ status: 404, title: "Not found", detail: `Job ${where.job} of ${where.name} has no build ${where.build}.` });
  }
}

/** Whether a build of this name can still come. Reruns are named "4.1" after their build. */
export function isNext(name: string, newest: string | undefined): boolean {
  return /^[1-9]\d{0,8}$/.test(name) && Number(name) > Math.floor(Number(newest ?? 0));
}
