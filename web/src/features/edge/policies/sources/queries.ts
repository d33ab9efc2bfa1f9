import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Source = components["schemas"]["EdgePolicySource"];

// Below the policies of the team: a push that changes them has been read.
export const sourcesQuery = (team: string) =>
  queryOptions({ queryKey: ["edge", "policies", team, "sources"], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/policy-sources", { params: { query: { team } }, signal })) });
