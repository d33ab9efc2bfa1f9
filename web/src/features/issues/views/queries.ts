import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type SavedView = components["schemas"]["IssueView"];

export const viewsQuery = (team: string) =>
  queryOptions({
    queryKey: ["issues", "views", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/views", { params: { query: { team } }, signal })),
  });
