import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type SavedSearch = components["schemas"]["SavedLogSearch"];

/** One's own searches and those that the team shares, by name. */
export const savedQuery = (team: string) =>
  queryOptions({
    queryKey: ["logs", "saved", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/logs/searches", { params: { query: { team } }, signal })),
  });

/** What a short link leads to. */
export const linkQuery = (id: string) =>
  queryOptions({
    queryKey: ["logs", "link", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/logs/links/{link}", { params: { path: { link: id } }, signal })),
    retry: false,
  });
