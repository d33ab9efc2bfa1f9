import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Freeze = components["schemas"]["EdgeFreeze"];

export const freezesQuery = (team: string) =>
  queryOptions({ queryKey: ["edge", "freezes", team], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/freezes", { params: { query: { team } }, signal })) });
