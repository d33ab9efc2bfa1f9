import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Check = components["schemas"]["Check"];
export type DeadJob = components["schemas"]["DeadJob"];
export type Loop = components["schemas"]["Loop"];

export const healthQuery = queryOptions({
  queryKey: ["system", "health"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/system/health", { signal })),
  // Disk and clock change without anybody telling.
  refetchInterval: 30_000,
});

export const loopsQuery = queryOptions({
  queryKey: ["system", "loops"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/system/loops", { signal })),
  refetchInterval: 30_000,
});

export const deadJobsQuery = (before?: number) =>
  queryOptions({
    queryKey: ["system", "jobs", before ?? "newest"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/system/jobs/dead", { params: { query: { before } }, signal })),
  });
