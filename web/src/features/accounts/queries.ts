import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Team = components["schemas"]["Team"];
export type Member = components["schemas"]["Member"];
export type User = components["schemas"]["UserRecord"];
export type Token = components["schemas"]["Token"];
export type Secret = components["schemas"]["Secret"];
export type AuditEntry = components["schemas"]["AuditEntry"];

export const teamsQuery = queryOptions({
  queryKey: ["accounts", "teams"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams", { signal })),
});

export const teamQuery = (team: string) =>
  queryOptions({
    queryKey: ["accounts", "teams", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}", { params: { path: { team } }, signal })),
  });

export const membersQuery = (team: string) =>
  queryOptions({
    queryKey: ["accounts", "members", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/members", { params: { path: { team } }, signal })),
  });

export const usersQuery = queryOptions({
  queryKey: ["accounts", "users"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/users", { signal })),
});

export const tokensQuery = queryOptions({
  queryKey: ["accounts", "tokens"],
  queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/tokens", { signal })),
});

export const secretsQuery = (team: string) =>
  queryOptions({
    queryKey: ["ci", "secrets", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/secrets", { params: { query: { team } }, signal })),
  });

export type AuditFilter = { team?: string; q?: string; before?: number };

export const auditQuery = (filter: AuditFilter) =>
  queryOptions({
    queryKey: ["accounts", "audit", filter],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/audit", { params: { query: filter }, signal })),
  });
