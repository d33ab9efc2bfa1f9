import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type GroupingPreview = Schemas["ProjectGroupingPreview"];
export type GroupingSide = Schemas["ProjectGroupingSide"];

export const groupingRulesQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "project", id, "grouping"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/projects/{id}/grouping", { params: { path: { id } }, signal })),
  });

/** How an event groups now, and would by other rules; nothing is changed by asking. */
export const groupingPreviewQuery = (id: number, rules: string, event?: string) =>
  queryOptions({
    queryKey: ["issues", "grouping-preview", id, rules, event ?? ""],
    queryFn: ({ signal }) => data(api.POST("/api/v1/issues/projects/{id}/grouping/preview", { params: { path: { id } }, body: { rules, ...(event ? { event_id: event } : {}) }, signal })),
    retry: false,
    staleTime: 10_000,
  });
