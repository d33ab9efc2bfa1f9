import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Run = Schemas["AssistantRun"];
export type Step = Schemas["AssistantStep"];
export type Turn = Schemas["AssistantTurn"];
export type Page = Schemas["AssistantPage"];
export type Ground = NonNullable<Schemas["AssistantAnswer"]["grounds"]>[number];
export type Settings = Schemas["AssistantSettings"];

/** A part of the runs that somebody wants to look at. */
export const shows = ["failed", "untouched", "flagged", "slow", "dear", "down"] as const;
export type Show = (typeof shows)[number];

/** The caller's questions, newest first; everybody's for an owner. */
export const runsQuery = (team: string, show?: Show, all?: boolean) =>
  queryOptions({
    queryKey: ["assistant", "runs", team, show ?? "", all ?? false],
    queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/runs", { params: { query: { team, show, all: all || undefined } }, signal })),
  });

/** One run, step by step. */
export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["assistant", "run", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/runs/{id}", { params: { path: { id } }, signal })),
  });

/** The runs that asked the same again. */
export const replaysQuery = (id: string) =>
  queryOptions({
    queryKey: ["assistant", "replays", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/runs/{id}/replays", { params: { path: { id } }, signal })),
  });

/** What the assistant of a team may read. */
export const settingsQuery = (team: string) =>
  queryOptions({
    queryKey: ["assistant", "settings", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/settings", { params: { query: { team } }, signal })),
  });

/** Who the caller is elsewhere. */
export const meQuery = () =>
  queryOptions({
    queryKey: ["assistant", "me"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/me", { signal })),
  });

/** Asks, and gives the run at once; it ends by itself and tells the page. */
export const ask = (team: string, question: string, thread?: string, page?: Page) =>
  data(api.POST("/api/v1/assistant/ask", { body: { team, question, thread, page, follow: true, surface: "web", zone: Intl.DateTimeFormat().resolvedOptions().timeZone } }));

/** Asks a run's question again with a planner. */
export const replay = (id: string, planner: "plan" | "model") => data(api.POST("/api/v1/assistant/runs/{id}/replay", { params: { path: { id } }, body: { planner } }));

/** A run as a case for `signalbox eval`. */
export const caseOf = (id: string) => data(api.GET("/api/v1/assistant/runs/{id}/case", { params: { path: { id } } }));
