import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Container = components["schemas"]["CiContainer"];
export type Volume = components["schemas"]["CiVolume"];

// Containers come and go without a word on the stream: what is looked at is asked for again.
const often = 10_000;

export const containersQuery = (team: string) =>
  queryOptions({
    queryKey: ["ci", "containers", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/containers", { params: { query: { team } }, signal })),
    refetchInterval: often,
  });

export const volumesQuery = (team: string) =>
  queryOptions({
    queryKey: ["ci", "volumes", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/volumes", { params: { query: { team } }, signal })),
    refetchInterval: often * 3,
  });
