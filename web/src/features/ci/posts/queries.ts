import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Post = components["schemas"]["Post"];
export type PostFilter = { state?: Post["state"]; kind?: Post["kind"]; limit?: number };

export const postsQuery = (team: string, filter: PostFilter = {}) =>
  queryOptions({
    queryKey: ["ci", "posts", team, filter],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/posts", { params: { query: { team, ...filter } }, signal })),
    // Attempts are made again without anybody saying so.
    refetchInterval: 30_000,
  });
