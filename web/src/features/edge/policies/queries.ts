import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type PolicyItem = Schemas["EdgePolicyItem"];
export type Policy = Schemas["EdgePolicy"];
export type Finding = Schemas["EdgeFinding"];
export type DryRun = Schemas["EdgeDryRun"];

export const policiesQuery = (team: string) =>
  queryOptions({ queryKey: ["edge", "policies", team], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/policies", { params: { query: { team } }, signal })) });

export const policyQuery = (id: string) =>
  queryOptions({ queryKey: ["edge", "policy", id, "self"], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/policies/{policy}", { params: { path: { policy: id } }, signal })) });

export const revisionsQuery = (id: string) =>
  queryOptions({ queryKey: ["edge", "policy", id, "revisions"], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/policies/{policy}/revisions", { params: { path: { policy: id } }, signal })) });

export const checkQuery = (team: string, text: string) =>
  queryOptions({
    queryKey: ["edge", "check", team, text],
    queryFn: ({ signal }) => data(api.POST("/api/v1/edge/policies/check", { body: { team, text }, signal })),
    placeholderData: (before) => before,
    enabled: text.trim() !== "",
  });

export const dryRunQuery = (team: string, of: { policy: string } | { text: string }) =>
  queryOptions({ queryKey: ["edge", "dry-run", team, of], queryFn: ({ signal }) => data(api.POST("/api/v1/edge/policies/dry-run", { body: { team, ...of }, signal })), staleTime: 0, retry: false });
