import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Happening = components["schemas"]["ThreadEvent"];
export type Need = components["schemas"]["Need"];
export type Service = components["schemas"]["TeamService"];
export type Proposal = components["schemas"]["ServiceProposal"];

// Everything of every capability is in it: asked now and then, rather than with each change of anything.
const soon = 10_000;

export const homeQuery = (team: string) =>
  queryOptions({ queryKey: ["accounts", "home", team], queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/home", { params: { path: { team } }, signal })), refetchInterval: soon });

export const servicesQuery = (team: string) =>
  queryOptions({ queryKey: ["accounts", "services", team], queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/services", { params: { path: { team } }, signal })) });

export const proposalsQuery = (team: string) =>
  queryOptions({ queryKey: ["accounts", "proposals", team], queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/service-proposals", { params: { path: { team } }, signal })) });

export type Asked = { hours: number; /** An instant, where not up to now. */ until?: string; service?: string };

/** What happened in the hours before an instant, or before now. */
export const timelineQuery = (team: string, { hours, until, service }: Asked) =>
  queryOptions({
    queryKey: ["accounts", "timeline", team, hours, until ?? "", service ?? ""],
    queryFn: ({ signal }) => {
      const to = until ? new Date(until) : new Date(Date.now() + 60_000);
      const from = new Date(to.getTime() - hours * 3_600_000);
      return data(api.GET("/api/v1/accounts/teams/{team}/timeline", { params: { path: { team }, query: { from: from.toISOString().replace(/\.\d+/, ""), to: to.toISOString().replace(/\.\d+/, ""), service } }, signal }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: until ? undefined : soon,
  });
