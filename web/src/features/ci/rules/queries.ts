import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Rule = Schemas["Rule"];
export type RuleMessage = Schemas["RuleMessage"];

export const rulesQuery = (team: string) =>
  queryOptions({
    queryKey: ["ci", "rules", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/rules", { params: { query: { team } }, signal })),
    // Messages are attempted again without anybody saying so.
    refetchInterval: 30_000,
  });

export const ruleMessagesQuery = (id: string, before?: number) =>
  queryOptions({
    queryKey: ["ci", "rules", "messages", id, before ?? 0],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/rules/{id}/deliveries", { params: { path: { id }, query: { before } }, signal })),
    refetchInterval: 10_000,
  });
