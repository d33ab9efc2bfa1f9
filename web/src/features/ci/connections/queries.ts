import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Repository = Schemas["ConnectionRepository"];
export type Organization = Schemas["ConnectionOrganization"];
export type Installation = Schemas["Installation"];
export type Reachability = Schemas["Reachability"];

/** The key does not begin like that of hooks: each delivery makes those stale, and this list comes from GitHub. */
export const repositoriesQuery = (team: string, connection: string, q: string | undefined, page: number | undefined) =>
  queryOptions({
    queryKey: ["ci", "repositories", team, connection, q ?? "", page ?? 1],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/connections/{id}/repositories", { params: { path: { id: connection }, query: { q, page } }, signal })),
    staleTime: 60_000,
  });

export const organizationsQuery = (connection: string) =>
  queryOptions({
    queryKey: ["ci", "organizations", connection],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/connections/{id}/organizations", { params: { path: { id: connection } }, signal })),
    staleTime: 60_000,
  });

export const installationsQuery = (connection: string) =>
  queryOptions({
    queryKey: ["ci", "installations", connection],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/connections/{id}/installations", { params: { path: { id: connection } }, signal })),
    // Somebody installs the App in another tab meanwhile.
    refetchInterval: 10_000,
  });

export const reachabilityQuery = (team: string) =>
  queryOptions({
    queryKey: ["ci", "reachability", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/reachability", { params: { query: { team } }, signal })),
    staleTime: 60_000,
  });
