import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { pipelinesQuery, workersQuery } from "../queries";

type Load = { context: { client: QueryClient }; params: { team: string } };

/** Where builds run. */
export function workersRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "ci/workers",
      loader: ({ context: { client }, params }: Load) => Promise.all([client.ensureQueryData(pipelinesQuery(params.team)), client.ensureQueryData(workersQuery)]),
      component: lazyRouteComponent(() => import("./WorkersPage"), "WorkersPage"),
    }),
  ];
}
