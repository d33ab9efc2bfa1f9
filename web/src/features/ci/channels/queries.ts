import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Channel = Schemas["Channel"];
export type ChannelKind = Schemas["ChannelKind"];
export type ChannelEvent = Schemas["ChannelEvent"];
export type ChannelDelivery = Schemas["ChannelDelivery"];
export type ChannelSecret = Schemas["ChannelSecret"];

export const channelsQuery = (team: string) =>
  queryOptions({
    queryKey: ["ci", "channels", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/channels", { params: { query: { team } }, signal })),
    // Attempts are made again without anybody saying so.
    refetchInterval: 30_000,
  });

export const channelDeliveriesQuery = (id: string, before?: number) =>
  queryOptions({
    queryKey: ["ci", "channels", "deliveries", id, before ?? 0],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/channels/{id}/deliveries", { params: { path: { id }, query: { before } }, signal })),
  });
