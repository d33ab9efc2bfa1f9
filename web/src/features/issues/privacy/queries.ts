import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Scrubbing = Schemas["ProjectScrubbing"];
export type ScrubRule = Scrubbing["rules"][number];
export type ScrubPreview = Schemas["ProjectScrubbingPreview"];
export type Erasure = Schemas["Erasure"];
export type Usage = Schemas["ProjectUsage"];

export const scrubbingQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "project", id, "scrubbing"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/projects/{id}/scrubbing", { params: { path: { id } }, signal })),
  });

/** What the rules would do to an event; nothing is changed by asking. */
export const scrubPreviewQuery = (id: number, rules: Scrubbing, event?: string) =>
  queryOptions({
    queryKey: ["issues", "scrub-preview", id, rules, event ?? ""],
    queryFn: ({ signal }) => data(api.POST("/api/v1/issues/projects/{id}/scrubbing/preview", { params: { path: { id } }, body: { ...rules, ...(event ? { event_id: event } : {}) }, signal })),
    retry: false,
    staleTime: 10_000,
  });

export const erasuresQuery = (team: string, project: string) =>
  queryOptions({
    queryKey: ["issues", "erasures", team, project],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/erasures", { params: { query: { team, project } }, signal })),
  });

export const usageQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "project", id, "usage"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/projects/{id}/usage", { params: { path: { id } }, signal })),
    staleTime: 30_000,
  });
