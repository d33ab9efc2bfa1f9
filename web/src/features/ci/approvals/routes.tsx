import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { pipelinesQuery } from "../queries";
import { approvalsQuery } from "./queries";

type Load = { context: { client: QueryClient }; params: { team: string } };

/** Builds that wait for a person, and what people decided. */
export function approvalsRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "ci/approvals",
      loader: ({ context: { client }, params }: Load) =>
        Promise.all([
          client.ensureQueryData(pipelinesQuery(params.team)),
          client.ensureQueryData(approvalsQuery(params.team, "waiting")),
          client.ensureQueryData(approvalsQuery(params.team, "decided")),
        ]),
      component: lazyRouteComponent(() => import("./ApprovalsPage"), "ApprovalsPage"),
    }),
  ];
}
