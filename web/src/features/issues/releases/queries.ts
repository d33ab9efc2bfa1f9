import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type ReleaseItem = Schemas["ReleaseItem"];
export type Release = Schemas["Release"];
export type Commit = Release["commit_list"][number];
export type Deploy = Release["deploy_list"][number];
export type HealthHour = Schemas["ReleaseHealthHours"]["hours"][number];
export type Artifact = Release["artifacts"][number];

const pageOfReleases = (team: string, project: string | undefined, offset: number, limit: number, signal?: AbortSignal) =>
  data(api.GET("/api/v1/issues/releases", { params: { query: { team, project, offset, limit } }, signal }));

/** The list, a page at a time. */
export const releasesQuery = (team: string, project?: string) =>
  infiniteQueryOptions({
    queryKey: ["issues", "releases", team, { project }],
    queryFn: ({ pageParam, signal }) => pageOfReleases(team, project, pageParam, 50, signal),
    initialPageParam: 0,
    getNextPageParam: (last) => last.next || undefined,
  });

/** The newest releases, for everything that names one or marks it in time. */
export const latestReleasesQuery = (team: string, project?: string) =>
  queryOptions({
    queryKey: ["issues", "releases", team, { project, latest: true }],
    queryFn: ({ signal }) => pageOfReleases(team, project, 0, 30, signal),
    staleTime: 30_000,
  });

/** The one release that is called so; versions are a team's. */
export const namedReleaseQuery = (team: string, project: string, version: string) =>
  queryOptions({
    queryKey: ["issues", "releases", team, { project, version }],
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/issues/releases", { params: { query: { team, project, version, limit: 1 } }, signal }))).items[0] ?? null,
    staleTime: 30_000,
  });

/** What sessions say of a release, by the hour of two weeks. */
export const releaseHealthQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "release", id, "health"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/releases/{id}/health", { params: { path: { id }, query: { hours: 14 * 24 } }, signal })),
  });

export const releaseQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "release", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/releases/{id}", { params: { path: { id } }, signal })),
  });
