import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Pipeline = Schemas["CiPipeline"];
export type Graph = Schemas["CiGraph"];
export type GraphResource = Schemas["CiGraphResource"];
export type Job = Schemas["CiJob"];
export type Build = Schemas["CiBuild"];
export type BuildInput = Schemas["CiBuildInput"];
export type BuildListItem = Schemas["CiBuildListItem"];
export type BuildSummary = Schemas["CiBuildSummary"];
export type BuildStatus = Schemas["CiStatus"];
export type RunInput = Schemas["CiRunInput"];
export type RunValue = Schemas["CiRunValue"];
export type Step = Schemas["CiStep"];
export type Failure = Schemas["CiFailure"];
export type LogLine = Schemas["CiLogLine"];
export type LogPage = Schemas["CiLogPage"];
export type LogSection = Schemas["CiLogSection"];
export type LogMatches = Schemas["CiLogMatches"];
export type Resource = Schemas["CiResource"];
export type Version = Schemas["CiVersion"];
export type Diagnostic = Schemas["CiDiagnostic"];
export type Hook = Schemas["Hook"];
export type HookSecret = Schemas["HookSecret"];
export type Connection = Schemas["Connection"];
export type ConnectionTest = Schemas["ConnectionTest"];
export type Delivery = Schemas["Delivery"];

// Keys are prefixes of one another where one change makes both stale: ["ci", "pipeline", 7] and what is below it.

export const pipelinesQuery = (team: string) =>
  queryOptions({
    queryKey: ["ci", "pipelines", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/pipelines", { params: { query: { team } }, signal })),
  });

export const pipelineQuery = (id: number) =>
  queryOptions({
    queryKey: ["ci", "pipeline", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/pipelines/{id}", { params: { path: { id } }, signal })),
  });

export const graphQuery = (id: number) =>
  queryOptions({
    queryKey: ["ci", "pipeline", id, "graph"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/pipelines/{id}/graph", { params: { path: { id } }, signal })),
  });

export const configQuery = (id: number) =>
  queryOptions({
    queryKey: ["ci", "pipeline", id, "config"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/pipelines/{id}/config", { params: { path: { id } }, signal })),
  });

export const jobQuery = (id: number) =>
  queryOptions({
    queryKey: ["ci", "job", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/jobs/{id}", { params: { path: { id } }, signal })),
  });

export const jobBuildsQuery = (id: number, before?: number, limit = 50) =>
  queryOptions({
    queryKey: ["ci", "job", id, "builds", before ?? 0, limit],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/jobs/{id}/builds", { params: { path: { id }, query: { before, limit } }, signal })),
  });

export const buildsQuery = (team: string, before?: number, limit = 50) =>
  queryOptions({
    queryKey: ["ci", "builds", team, before ?? 0, limit],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/builds", { params: { query: { team, before, limit } }, signal })),
  });

export const buildQuery = (id: number) =>
  queryOptions({
    queryKey: ["ci", "build", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/builds/{id}", { params: { path: { id } }, signal })),
  });

export type LogFind = { q: string; regex?: boolean; step?: string; from?: number; limit?: number };

/** Not below the key of its build: lines that are written stay as they are. */
export const logFindQuery = (id: number, find: LogFind) =>
  queryOptions({
    queryKey: ["ci", "log", id, "find", find],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/builds/{id}/log/search", { params: { path: { id }, query: find }, signal })),
  });

/** Lines of a log from one on; the log keeps them itself, so this is no query. */
export const fetchLog = async (id: number, from: number, limit: number, signal?: AbortSignal) =>
  // The address can also answer with a stream; asked like this it does not.
  (await data(api.GET("/api/v1/ci/builds/{id}/log", { params: { path: { id }, query: { from, limit } }, signal }))) as LogPage;

export const rawLogUrl = (id: number) => `/api/v1/ci/builds/${id}/log/raw`;
export const followLogUrl = (id: number, from: number) => `/api/v1/ci/builds/${id}/log?follow=true&from=${from}`;

export const resourceQuery = (id: number) =>
  queryOptions({
    queryKey: ["ci", "resource", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/resources/{id}", { params: { path: { id } }, signal })),
  });

export const versionsQuery = (id: number, offset = 0, limit = 50) =>
  queryOptions({
    queryKey: ["ci", "resource", id, "versions", offset, limit],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/resources/{id}/versions", { params: { path: { id }, query: { offset, limit } }, signal })),
  });

export const workersQuery = queryOptions({
  queryKey: ["ci", "workers"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/ci/workers", { signal })),
});

export const hooksQuery = (team: string) =>
  queryOptions({
    queryKey: ["ci", "hooks", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/hooks", { params: { query: { team } }, signal })),
  });

export const connectionsQuery = (team: string) =>
  queryOptions({
    queryKey: ["ci", "connections", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/connections", { params: { query: { team } }, signal })),
  });

export type DeliveryFilter = {
  hook?: string;
  event?: string;
  repository?: string;
  sender?: string;
  state?: Delivery["state"];
  verdict?: Delivery["verdict"];
  q?: string;
  gap?: boolean;
  before?: string;
  limit?: number;
};

export const deliveriesQuery = (team: string, filter: DeliveryFilter = {}) =>
  queryOptions({
    queryKey: ["ci", "deliveries", team, filter],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/deliveries", { params: { query: { team, ...filter } }, signal })),
  });

export const deliveryQuery = (id: string) =>
  queryOptions({
    queryKey: ["ci", "delivery", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/deliveries/{id}", { params: { path: { id } }, signal })),
  });
