import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { pipelinesQuery } from "../queries";

type Load = { context: { client: QueryClient }; params: { team: string } };

/** What builds are made of, asked over all of a team. */
export function outputsRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "ci/packages",
      loader: ({ context: { client }, params }: Load) => client.ensureQueryData(pipelinesQuery(params.team)),
      component: lazyRouteComponent(() => import("./PackagesPage"), "PackagesPage"),
    }),
  ];
}
