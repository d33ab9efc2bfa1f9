import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Cve = components["schemas"]["EdgeCVE"];

export const cveQuery = (team: string, cve: string) =>
  queryOptions({
    // Below the nodes of the team: what they tell of their packages changes the answer.
    queryKey: ["edge", "nodes", team, "cve", cve],
    queryFn: ({ signal }) => data(api.GET("/api/v1/edge/cves", { params: { query: { team, cve } }, signal })),
    enabled: cve !== "",
    placeholderData: (before) => (before?.id === cve ? before : undefined),
  });
