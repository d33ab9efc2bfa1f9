import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";

export const bundleQuery = (team: string, id: string) =>
  queryOptions({ queryKey: ["edge", "bundle", team, id], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/bundles/{bundle}", { params: { path: { bundle: id }, query: { team } }, signal })) });
