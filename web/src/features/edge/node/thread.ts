import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type NodeThread = components["schemas"]["NodeThread"];

/** Lines, errors and patches of a node; below its key. */
export const nodeThreadQuery = (team: string, node: string) =>
  queryOptions({
    queryKey: ["edge", "node", node, "thread"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/threads/nodes/{node}", { params: { path: { team, node } }, signal })),
    staleTime: 10_000,
  });
