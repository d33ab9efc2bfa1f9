import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Approval = components["schemas"]["CiApproval"];
export type Fork = NonNullable<Approval["fork"]>;
/** A question about a commit of a fork; it has no build yet. */
export type ForkApproval = Approval & { fork: Fork };
export type ApprovalsShown = "waiting" | "decided";

export const approvalsQuery = (team: string, state: ApprovalsShown) =>
  queryOptions({
    queryKey: ["ci", "approvals", team, state],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/approvals", { params: { query: { team, state } }, signal })),
    // Time runs out without anybody saying so.
    refetchInterval: 30_000,
  });
