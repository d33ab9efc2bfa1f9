import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Server = Schemas["AssistantServer"];
export type ServerTool = Schemas["AssistantServerTool"];
export type ServerChange = Schemas["AssistantServerChange"];
export type Permission = Schemas["AssistantPermission"];

/** A team's outside MCP servers with how they stand. */
export const serversQuery = (team: string) =>
  queryOptions({
    queryKey: ["assistant", "servers", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/servers", { params: { query: { team } }, signal })),
  });

/** Makes a server, or changes the one with that id. */
export const saveServer = (team: string, id: string | undefined, change: ServerChange) =>
  id ? data(api.PUT("/api/v1/assistant/servers/{id}", { params: { path: { id } }, body: change })) : data(api.POST("/api/v1/assistant/servers", { body: { team, ...change } }));

export const deleteServer = (id: string) => data(api.DELETE("/api/v1/assistant/servers/{id}", { params: { path: { id } } }));

/** Says what runs may do with a tool. */
export const permit = (id: string, tool: string, permission: Permission) => data(api.PUT("/api/v1/assistant/servers/{id}/permission", { params: { path: { id } }, body: { tool, permission } }));

/** Calls a tool once. */
export const tryTool = (id: string, tool: string, args: Record<string, never>) => data(api.POST("/api/v1/assistant/servers/{id}/try", { params: { path: { id } }, body: { tool, args } }));
