import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Channel = Schemas["Channel"];
export type ChannelKind = Schemas["ChannelKind"];
export type ChannelEvent = Schemas["ChannelEvent"];
export type ChannelDelivery = Schemas["ChannelDelivery"];
export type ChannelSecret = Schemas["ChannelSecret"];
export type Manner = Schemas["ChannelManner"];
export type Span = Schemas["ChannelSpan"];
export type Rule = Schemas["NotificationRule"];
export type Message = Schemas["NotificationMessage"];
export type MessageState = Message["state"];

export const channelsQuery = (team: string) =>
  queryOptions({
    queryKey: ["notifications", "channels", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/channels", { params: { query: { team } }, signal })),
  });

export const rulesQuery = (team: string) =>
  queryOptions({
    queryKey: ["notifications", "rules", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/notifications/rules", { params: { path: { team } }, signal })),
    // What rules themselves do is published as their capability's change.
    refetchInterval: 30_000,
  });

export type Search = { channel?: string; rule?: string; capability?: string; state?: MessageState; q?: string; before?: number };

export const messagesQuery = (team: string, search: Search) =>
  queryOptions({
    queryKey: ["notifications", "messages", team, search],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/notifications/messages", { params: { path: { team }, query: search }, signal })),
  });

/** What one letter tells of. */
export const partsQuery = (team: string, into: number) =>
  queryOptions({
    queryKey: ["notifications", "messages", team, { into }],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/notifications/messages", { params: { path: { team }, query: { into } }, signal })),
  });
