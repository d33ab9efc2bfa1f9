import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { pipelinesQuery } from "../queries";

type Load = { context: { client: QueryClient }; params: { team: string } };

export function wallRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "ci",
      loader: ({ context: { client }, params }: Load) => client.ensureQueryData(pipelinesQuery(params.team)),
      component: lazyRouteComponent(() => import("./WallPage"), "WallPage"),
    }),
  ];
}
