import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { plural } from "@/format/bytes";
import { RelativeTime } from "@/ui/RelativeTime";
import { Skeleton } from "@/ui/Skeleton";
import { Status } from "@/ui/StatusGlyph";
import { buildAddress } from "../address";
import { AddressLink } from "../AddressLink";
import { shownStatus } from "../build/steps";
import type { BuildListItem, Pipeline } from "../queries";

/** Below the key of its resource, so that a new build makes it stale. */
const usesQuery = (resource: number, id: number) =>
  queryOptions({
    queryKey: ["ci", "resource", resource, "version", id, "builds"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/versions/{id}/builds", { params: { path: { id } }, signal })),
  });

/** Builds that took a version, and the one that made it. */
export function VersionBuilds({ resource, version, pipeline }: { resource: number; version: number; pipeline: Pipeline }) {
  const { data: uses, error } = useQuery(usesQuery(resource, version));
  if (error) return <p className="muted">{asProblem(error).message}</p>;
  if (!uses) return <Skeleton />;
  return (
    <>
      {uses.output_of.length > 0 && <Builds title="Made by" items={uses.output_of} pipeline={pipeline} />}
      <Builds title={uses.input_to.length > 0 ? `Used by ${plural(uses.input_to.length, "build")}` : "Used by"} items={uses.input_to} pipeline={pipeline} />
    </>
  );
}

function Builds({ title, items, pipeline }: { title: string; items: BuildListItem[]; pipeline: Pipeline }) {
  return (
    <section aria-label={title}>
      <h3 className="micro">{title}</h3>
      {items.length === 0 ? (
        <p className="muted">No build has taken it yet.</p>
      ) : (
        <ul className="grid gap-2">
          {items.map((build) => (
            <li key={build.id} className="line">
              <Status status={shownStatus(build.status)} />
              <AddressLink className="link clip" at={build.job ? buildAddress(pipeline, build.job.name, build) : { to: `/builds/${build.id}` }}>
                {build.job ? `${build.job.name} #${build.name}` : `build ${build.id}`}
              </AddressLink>
              <span className="push meta">
                <RelativeTime at={build.started_at ?? build.created_at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
