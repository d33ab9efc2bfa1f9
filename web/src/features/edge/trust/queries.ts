import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";

const shown = 50;

/** Words that find them among all nodes. */
export const behindFilter = (newest: number) => `state:accepted root:<${newest}`;

/** Accepted nodes that trust an older root than the newest: as many as a page shows. */
export const behindQuery = (team: string, newest: number) =>
  queryOptions({
    queryKey: ["edge", "nodes", team, "behind", newest],
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/edge/nodes", { params: { query: { team, q: behindFilter(newest), limit: shown } }, signal }))).items,
    staleTime: 30_000,
  });
