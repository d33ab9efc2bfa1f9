import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Alert = Schemas["Alert"];
export type AlertDraft = Schemas["AlertDraft"];
export type AlertCondition = Schemas["AlertCondition"];
export type AlertAction = Schemas["AlertAction"];
export type AlertTargets = Schemas["AlertTargets"];
export type AlertChannel = Schemas["AlertChannel"];
export type AlertFiring = Schemas["AlertFiring"];
export type AlertDelivery = Schemas["AlertDelivery"];
export type AlertPreview = Schemas["AlertPreview"];

export const alertsQuery = (team: string) =>
  queryOptions({
    queryKey: ["issues", "alerts", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/alerts", { params: { query: { team } }, signal })),
  });

export const alertQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "alert", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/alerts/{id}", { params: { path: { id } }, signal })),
  });

/** Whom rules can tell, and where errors come from. */
export const targetsQuery = (team: string) =>
  queryOptions({
    queryKey: ["issues", "alert-targets", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/alerts/targets", { params: { query: { team } }, signal })),
  });

export const alertPreviewQuery = (draft: AlertDraft) =>
  queryOptions({
    queryKey: ["issues", "alert-preview", draft],
    queryFn: ({ signal }) => data(api.POST("/api/v1/issues/alerts/preview", { body: draft, signal })),
    retry: false,
    staleTime: 30_000,
  });

export const firingsQuery = (id: number) =>
  infiniteQueryOptions({
    queryKey: ["issues", "alert", id, "history"],
    queryFn: ({ pageParam, signal }) => data(api.GET("/api/v1/issues/alerts/{id}/history", { params: { path: { id }, query: { cursor: pageParam || undefined } }, signal })),
    initialPageParam: 0,
    getNextPageParam: (last) => last.next || undefined,
  });
