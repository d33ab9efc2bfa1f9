import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Approval = components["schemas"]["AssistantApproval"];
type Which = "waiting" | "decided";

/** Calls that wait for a person in a team, or what became of the last ones. */
export const approvalsQuery = (team: string, state: Which) =>
  queryOptions({
    queryKey: ["assistant", "approvals", team, state],
    queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/approvals", { params: { query: { team, state } }, signal })),
  });

/** One of them. */
export const approvalQuery = (id: string) =>
  queryOptions({
    queryKey: ["assistant", "approval", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/assistant/approvals/{id}", { params: { path: { id } }, signal })),
  });

/** Lets the call happen, and gives what came of it. */
export const approve = (id: string) => data(api.POST("/api/v1/assistant/approvals/{id}/approve", { params: { path: { id } } }));

/** Ends it without a call. */
export const deny = (id: string, reason: string) => data(api.POST("/api/v1/assistant/approvals/{id}/deny", { params: { path: { id } }, body: { reason } }));
