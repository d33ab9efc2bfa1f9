import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { EmptyState } from "@/ui/states";
import { jobPath, pipelinePath, wallPath } from "../paths";
import { jobBuildsQuery } from "../queries";

/** A build that is not there yet: the page turns into it when it is made. */
export function Awaited({ job }: { job: number }) {
  const { team = "", name = "", job: named = "", build = "" } = useParams({ strict: false }) as Record<string, string>;
  const router = useRouter();
  // The key is below that of the job, which the stream makes stale with each new build.
  const { data } = useQuery({ ...jobBuildsQuery(job), refetchInterval: 10_000 });
  const there = data?.items.some((one) => one.name === build) ?? false;
  const newest = data?.items[0];
  useEffect(() => {
    if (there) void router.invalidate();
  }, [there, router]);
  usePage({
    title: `${name} / ${named} #${build}`,
    status: "pending",
    crumbs: [{ label: "Pipelines", to: wallPath(team) }, { label: name, to: pipelinePath(team, name) }, { label: named, to: jobPath(team, name, named) }, { label: `#${build}` }],
  });
  return (
    <>
      <PageHeader title={`${name} / ${named} #${build}`} status="pending" meta="not made yet" />
      <EmptyState headline={`Build #${build} does not exist yet`} waiting={`Waiting for #${build}. It opens here by itself.`}>
        {newest ? (
          <>
            The newest build of {named} is{" "}
            <Link className="link" to={`${jobPath(team, name, named)}/builds/${encodeURIComponent(newest.name)}`}>
              #{newest.name}
            </Link>
            .
          </>
        ) : (
          <>{named} has no build yet.</>
        )}
      </EmptyState>
    </>
  );
}
