import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Run = Schemas["AssistantRun"];
export type Step = Schemas["AssistantStep"];
export type Settings = Schemas["AssistantSettings"];

/** The caller's questions, newest first. */
export const runsQuery = (team: string) =>
  queryOptions({
    queryKey: ["assistant", "runs", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/runs", { params: { query: { team } }, signal })),
  });

/** One run, step by step. */
export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["assistant", "run", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/runs/{id}", { params: { path: { id } }, signal })),
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

/** Asks, and gives the run with its answer. */
export const ask = (team: string, question: string, thread?: string) =>
  data(api.POST("/api/v1/assistant/ask", { body: { team, question, thread, surface: "web", zone: Intl.DateTimeFormat().resolvedOptions().timeZone } }));
