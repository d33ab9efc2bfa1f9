import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";

export const nodeQuery = (id: string) =>
  queryOptions({ queryKey: ["edge", "node", id, "self"], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/nodes/{id}", { params: { path: { id } }, signal })) });

export const eventsQuery = (id: string) =>
  queryOptions({ queryKey: ["edge", "node", id, "events"], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/nodes/{id}/events", { params: { path: { id }, query: { limit: 100 } }, signal })) });

export const packagesQuery = (id: string) =>
  queryOptions({ queryKey: ["edge", "node", id, "packages"], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/nodes/{id}/packages", { params: { path: { id } }, signal })), retry: false });

export const nodeCvesQuery = (id: string) =>
  queryOptions({ queryKey: ["edge", "node", id, "cves"], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/nodes/{id}/cves", { params: { path: { id } }, signal })) });
