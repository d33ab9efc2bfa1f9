import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type EventThread = components["schemas"]["EventThread"];
export type ReleaseThread = components["schemas"]["ReleaseThread"];
export type Health = components["schemas"]["ThreadHealth"];

/** What an event leads to. Lines of its trace may still come for a while. */
export const eventThreadQuery = (team: string, event: string) =>
  queryOptions({
    queryKey: ["issues", "thread", "event", team, event],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/threads/events/{event}", { params: { path: { team, event } }, signal })),
    staleTime: 10_000,
  });

export const releaseThreadQuery = (team: string, release: number) =>
  queryOptions({
    queryKey: ["issues", "thread", "release", team, release],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/threads/releases/{release}", { params: { path: { team, release } }, signal })),
    staleTime: 10_000,
  });
