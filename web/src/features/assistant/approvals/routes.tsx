import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { serversQuery } from "../servers/queries";
import { approvalQuery, approvalsQuery } from "./queries";

type Load = { context: { client: QueryClient }; params: { team: string; approval: string } };

/** Pages of what waits for a person, and of outside servers, below /teams/$team. */
export function guardRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "assistant/approvals",
      component: lazyRouteComponent(() => import("./ApprovalsPage"), "ApprovalsPage"),
      loader: ({ context: { client }, params }: Load) => Promise.all([client.ensureQueryData(approvalsQuery(params.team, "waiting")), client.ensureQueryData(approvalsQuery(params.team, "decided"))]),
    }),
    createRoute({
      getParentRoute: () => team,
      path: "assistant/approvals/$approval",
      component: lazyRouteComponent(() => import("./ApprovalPage"), "ApprovalPage"),
      loader: ({ context: { client }, params }: Load) => client.ensureQueryData(approvalQuery(params.approval)),
    }),
    createRoute({
      getParentRoute: () => team,
      path: "assistant/servers",
      component: lazyRouteComponent(() => import("../servers/ServersPage"), "ServersPage"),
      loader: ({ context: { client }, params }: Load) => client.ensureQueryData(serversQuery(params.team)),
    }),
  ];
}
