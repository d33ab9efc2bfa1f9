import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Thread = components["schemas"]["BuildThread"];

/** Builds that failed before as one did, and its lines; below the key of the build. */
export const buildThreadQuery = (team: string, build: number) =>
  queryOptions({
    queryKey: ["ci", "build", build, "thread"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/threads/builds/{build}", { params: { path: { team, build } }, signal })),
    retry: false,
  });
