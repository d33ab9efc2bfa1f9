import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Monitor = Schemas["Monitor"];
export type MonitorState = Monitor["environments"][number];
export type CheckIn = Schemas["CheckIn"];

export const monitorsQuery = (team: string, project?: string) =>
  queryOptions({
    queryKey: ["issues", "monitors", team, { project }],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/monitors", { params: { query: { team, project } }, signal })),
  });

export const monitorQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "monitor", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/monitors/{id}", { params: { path: { id } }, signal })),
  });

export const checkInsQuery = (id: number, environment?: string) =>
  infiniteQueryOptions({
    queryKey: ["issues", "monitor", id, "check-ins", environment ?? ""],
    queryFn: ({ pageParam, signal }) =>
      data(api.GET("/api/v1/issues/monitors/{id}/check-ins", { params: { path: { id }, query: { environment, cursor: pageParam || undefined, limit: 100 } }, signal })),
    initialPageParam: 0,
    getNextPageParam: (last) => last.next || undefined,
  });
