import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Alert = Schemas["LogAlert"];
export type AlertCondition = Schemas["LogAlertCondition"];
export type AlertDraft = Schemas["LogAlertDraft"];
export type AlertAction = Schemas["LogAlertAction"];
export type AlertTargets = Schemas["LogAlertTargets"];
export type AlertFiring = Schemas["LogAlertFiring"];
export type AlertDelivery = Schemas["LogAlertDelivery"];
export type AlertPreview = Schemas["LogAlertPreview"];

export const alertsQuery = (team: string) =>
  queryOptions({
    queryKey: ["logs", "alerts", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/logs/alerts", { params: { query: { team } }, signal })),
  });

export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: ["logs", "alert", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/logs/alerts/{alert}", { params: { path: { alert: id } }, signal })),
  });

/** Whom alerts can tell. */
export const targetsQuery = (team: string) =>
  queryOptions({
    queryKey: ["logs", "alert-targets", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/logs/alerts/targets", { params: { query: { team } }, signal })),
  });

export const alertPreviewQuery = (draft: AlertDraft) =>
  queryOptions({
    queryKey: ["logs", "alert-preview", draft],
    queryFn: ({ signal }) => data(api.POST("/api/v1/logs/alerts/preview", { body: draft, signal })),
    retry: false,
    staleTime: 60_000,
  });

export const firingsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["logs", "alert", id, "history"],
    queryFn: ({ pageParam, signal }) => data(api.GET("/api/v1/logs/alerts/{alert}/history", { params: { path: { alert: id }, query: { cursor: pageParam || undefined } }, signal })),
    initialPageParam: 0,
    getNextPageParam: (last) => last.next || undefined,
  });
