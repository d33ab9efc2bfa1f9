import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";
import { type Fleet, merged, read } from "./fleet/grid";

type Schemas = components["schemas"];
export type Node = Schemas["EdgeNode"];
export type Counts = Schemas["EdgeCounts"];
export type NodeEvent = Schemas["EdgeEvent"];
export type Token = Schemas["EdgeToken"];
export type Bundle = Schemas["EdgeBundle"];
export type BundleStatus = Schemas["EdgeBundleStatus"];
export type Site = Schemas["EdgeSiteList"]["items"][number];
export type Trust = Schemas["EdgeTrust"];

// A whole fleet is a megabyte: what came before is brought up to date, and only now and then read anew.
const wholeEvery = 60_000;

/** Every node that fits, small enough to be drawn. */
export const gridQuery = (team: string, q: string) =>
  queryOptions({
    queryKey: ["edge", "grid", team, q],
    queryFn: async ({ client, signal, queryKey }): Promise<Fleet> => {
      const ask = (since?: number) => data(api.GET("/api/v1/edge/grid", { params: { query: { team, q: q || undefined, since } }, signal }));
      const before = client.getQueryData<Fleet>(queryKey);
      if (before && Date.now() - before.whole < wholeEvery) {
        const next = merged(before, await ask(before.at), Date.now());
        if (next) return next;
      }
      return read(await ask(), Date.now());
    },
    placeholderData: (before) => before,
    // Comparing ten thousand nodes with what they were takes longer than drawing them.
    structuralSharing: false,
  });

/** How many nodes there are of each kind, for lists beside the page. */
export const countsQuery = (team: string) =>
  queryOptions({
    queryKey: ["edge", "counts", team],
    queryFn: async ({ signal }) => {
      const { total, counts } = await data(api.GET("/api/v1/edge/nodes", { params: { query: { team, limit: 1 } }, signal }));
      return { total, counts };
    },
  });

/** Rows of nodes before somebody asks for more. */
export const rowsFirst = 100;

/** Machines that wait for a decision, and how many of them a page shows. */
export const pendingOnes = "state:pending";
export const pendingMost = 1000;

export const nodesQuery = (team: string, q: string, limit: number, offset = 0) =>
  queryOptions({
    queryKey: ["edge", "nodes", team, q, limit, offset],
    queryFn: ({ signal }) => data(api.GET("/api/v1/edge/nodes", { params: { query: { team, q: q || undefined, limit, offset } }, signal })),
    placeholderData: (before) => before,
  });

export const sitesQuery = (team: string) =>
  queryOptions({
    queryKey: ["edge", "sites", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/edge/sites", { params: { query: { team } }, signal })),
  });

export const tokensQuery = (team: string) =>
  queryOptions({
    queryKey: ["edge", "tokens", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/edge/tokens", { params: { query: { team } }, signal })),
  });

/** Machines that are let in when they come. */
export const expectedQuery = (team: string) =>
  queryOptions({
    queryKey: ["edge", "expected", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/edge/expected", { params: { query: { team } }, signal })),
  });

/** The agents' programs that this server hands out itself. */
export const agentsQuery = (team: string) =>
  queryOptions({
    queryKey: ["edge", "agents", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/edge/agents", { params: { query: { team } }, signal })),
    staleTime: 600_000,
  });

export const bundlesQuery = (team: string) =>
  queryOptions({
    queryKey: ["edge", "bundles", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/edge/bundles", { params: { query: { team } }, signal })),
  });

export const rolloutsQuery = (team: string, state = "", before = 0) =>
  queryOptions({
    queryKey: ["edge", "rollouts", team, state, before],
    queryFn: ({ signal }) =>
      data(api.GET("/api/v1/edge/rollouts", { params: { query: { team, state: (state || undefined) as never, limit: 50, before: before || undefined } }, signal })),
    placeholderData: (before) => before,
  });

export const trustQuery = (team: string) =>
  queryOptions({
    queryKey: ["edge", "trust", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/edge/trust", { params: { query: { team } }, signal })),
  });
