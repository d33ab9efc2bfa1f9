import type { QueryClient } from "@tanstack/react-query";
import { Problem } from "@/api/problem";
import { findJob, type InstanceVars } from "../address";
import { jobBuildsQuery } from "../queries";

type Where = { team: string; name: string; vars?: InstanceVars; job: string; build: string };

/** The id of the build that an address names: found page by page, newest first. */
export async function findBuild(client: QueryClient, where: Where): Promise<number> {
  const { id } = await findJob(client, where);
  let before: number | undefined;
  for (;;) {
    const page = await client.fetchQuery({ ...jobBuildsQuery(id, before, 200), staleTime: before ? 60_000 : 0 });
    const found = page.items.find((build) => build.name === where.build);
    if (found) return found.id;
    before = page.items.at(-1)?.id;
    if (!page.more || !before) throw new Problem({ status: 404, title: "Not found", detail: `Job ${where.job} of ${where.name} has no build ${where.build}.` });
  }
}
