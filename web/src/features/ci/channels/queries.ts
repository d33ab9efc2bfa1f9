import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Channel = components["schemas"]["Channel"];

/** The team's channels, of which a rule about GitHub's events chooses one; their page is that of notifications. */
export const channelsQuery = (team: string) =>
  queryOptions({
    queryKey: ["notifications", "channels", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/channels", { params: { query: { team } }, signal })),
  });
