import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { connectionsQuery, hooksQuery } from "../queries";

type Load = { context: { client: QueryClient }; params: { team: string } };

/** What GitHub sends here and what this server may say there. */
export function hooksRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "ci/hooks",
      loader: ({ context: { client }, params }: Load) =>
        Promise.all([client.ensureQueryData(hooksQuery(params.team)), client.ensureQueryData(connectionsQuery(params.team))]),
      component: lazyRouteComponent(() => import("./HooksPage"), "HooksPage"),
    }),
  ];
}
