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

export type Backups = components["schemas"]["Backups"];
export type Backup = components["schemas"]["Backup"];
export type BackupSettings = components["schemas"]["BackupSettings"];
export type Rehearsal = components["schemas"]["Rehearsal"];

export const backupsQuery = queryOptions({
  queryKey: ["system", "backups"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/system/backups", { signal })),
  // Both kinds of work take seconds to hours, and begin a moment after they were asked for.
  refetchInterval: ({ state }) => ([...(state.data?.items ?? []), ...(state.data?.rehearsals ?? [])].some((item) => item.state === "running") ? 1500 : 5000),
});
