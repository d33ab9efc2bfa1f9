import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type SlackState = Schemas["AssistantSlackState"];
export type Channel = Schemas["AssistantSlackChannel"];
export type Digest = Schemas["AssistantDigest"];
export type Person = Schemas["AssistantSlackPerson"];
export type Part = Schemas["AssistantDigestChange"]["parts"][number];

const key = (...rest: string[]) => ["assistant", "slack", ...rest];

/** How Slack is set up; an administrator's to see. */
export const stateQuery = () =>
  queryOptions({ queryKey: key("state"), queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/slack", { signal })) });

export const manifestQuery = (mode: string) =>
  queryOptions({
    queryKey: key("manifest", mode),
    queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/slack/manifest", { params: { query: { mode } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const channelsQuery = (team: string) =>
  queryOptions({ queryKey: key("channels", team), queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/slack/channels", { params: { query: { team } }, signal })) });

export const digestsQuery = (team: string) =>
  queryOptions({ queryKey: key("digests", team), queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/slack/digests", { params: { query: { team } }, signal })) });

/** Everybody who is linked, for administrators. */
export const peopleQuery = () =>
  queryOptions({ queryKey: key("people"), queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/slack/people", { signal })) });

/** Who the caller is in Slack. */
export const mineQuery = () =>
  queryOptions({ queryKey: key("mine"), queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/slack/me", { signal })) });

/** Who would be linked by a code; it is never kept. */
export const invitedQuery = (code: string) =>
  queryOptions({
    queryKey: key("invited", code),
    queryFn: ({ signal }) => data(api.POST("/api/v1/assistant/slack/link/look", { body: { code }, signal })),
    gcTime: 0,
    retry: false,
  });
