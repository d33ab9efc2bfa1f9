import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { Node } from "../queries";

const page = 1000;
const shown = 50;

/** Accepted nodes that trust an older root than the newest: as many as a page shows. */
export const behindQuery = (team: string, newest: number) =>
  queryOptions({
    queryKey: ["edge", "nodes", team, "behind", newest],
    queryFn: async ({ signal }) => {
      const found: Node[] = [];
      for (let offset = 0, total = 1; offset < total && found.length < shown; offset += page) {
        const answer = await data(api.GET("/api/v1/edge/nodes", { params: { query: { team, q: "state:accepted", limit: page, offset } }, signal }));
        total = answer.total;
        found.push(...answer.items.filter(({ root_version: root }) => root < newest));
      }
      return found.slice(0, shown);
    },
    staleTime: 30_000,
  });
