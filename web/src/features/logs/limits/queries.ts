import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Sizes = components["schemas"]["LogSizes"];
export type Limits = components["schemas"]["LogLimits"];
export type Sources = components["schemas"]["LogSources"];

/** What lines take by day and stream, and how long they are kept. */
export const sizesQuery = (team: string) =>
  queryOptions({
    queryKey: ["logs", "sizes", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/logs/sizes", { params: { query: { team } }, signal })),
  });

/** What a team has set for itself, and what the installation allows. */
export const limitsQuery = (team: string) =>
  queryOptions({
    queryKey: ["logs", "limits", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/logs/limits", { params: { query: { team } }, signal })),
  });

/** By which ways lines came, and what was rejected. */
export const sourcesQuery = (team: string) =>
  queryOptions({
    queryKey: ["logs", "sources", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/logs/sources", { params: { query: { team } }, signal })),
  });
