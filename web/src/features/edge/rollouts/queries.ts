import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Rollout = Schemas["EdgeRollout"];
export type RolloutItem = Schemas["EdgeRolloutItem"];
export type Member = Schemas["EdgeRolloutNode"];

export const rolloutQuery = (id: string) =>
  queryOptions({ queryKey: ["edge", "rollout", id, "self"], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/rollouts/{rollout}", { params: { path: { rollout: id } }, signal })) });

const members = 100;

export const membersQuery = (id: string, filter: { state: string; batch?: number; q: string }) =>
  infiniteQueryOptions({
    queryKey: ["edge", "rollout", id, "nodes", filter],
    queryFn: ({ signal, pageParam: after }) =>
      data(api.GET("/api/v1/edge/rollouts/{rollout}/nodes", { params: { path: { rollout: id }, query: { state: (filter.state || undefined) as never, batch: filter.batch, q: filter.q || undefined, after: after || undefined, limit: members } }, signal })),
    initialPageParam: "",
    getNextPageParam: ({ next }) => next || undefined,
    placeholderData: (before) => before,
  });

/** No node is left out. */
export const allMembers = { state: "", batch: undefined, q: "" };

export const rolloutEventsQuery = (id: string) =>
  queryOptions({ queryKey: ["edge", "rollout", id, "events"], queryFn: ({ signal }) => data(api.GET("/api/v1/edge/rollouts/{rollout}/events", { params: { path: { rollout: id } }, signal })) });
