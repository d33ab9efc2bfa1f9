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

export type Asked = {
  /** How far back from now, where no instants are said. */
  hours: number;
  from?: string;
  to?: string;
  service?: string;
  /** Capabilities, with commas between them. */
  capability?: string;
};

const exact = (at: Date) => at.toISOString().replace(/\.\d+/, "");

/** The two instants that a timeline is about; up to now where only hours are said. */
export function spanOf({ hours, from, to }: Asked, now = Date.now()): { from: string; to: string } {
  const end = to ? new Date(to) : new Date(now + 60_000);
  const start = from ? new Date(from) : new Date(end.getTime() - hours * 3_600_000);
  return { from: exact(start), to: exact(end) };
}

/** What happened in a stretch of time. */
export const timelineQuery = (team: string, asked: Asked) =>
  queryOptions({
    queryKey: ["accounts", "timeline", team, asked.hours, asked.from ?? "", asked.to ?? "", asked.service ?? "", asked.capability ?? ""],
    queryFn: ({ signal }) =>
      data(api.GET("/api/v1/accounts/teams/{team}/timeline", { params: { path: { team }, query: { ...spanOf(asked), service: asked.service, capability: asked.capability } }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: asked.to ? undefined : soon,
  });

/** Which version of a service's package is on which nodes. */
export const serviceNodesQuery = (team: string, service: string) =>
  queryOptions({
    queryKey: ["edge", "service", team, service],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/services/{service}/nodes", { params: { path: { team, service } }, signal })),
    staleTime: 10_000,
  });
