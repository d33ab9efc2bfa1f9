import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { channelsQuery } from "../channels/queries";
import { deliveriesPath } from "../paths";
import { connectionsQuery, hooksQuery } from "../queries";
import { rulesQuery } from "../rules/queries";

type Load = { context: { client: QueryClient }; params: { team: string } };
type Search = { search: Record<string, unknown>; params: { team: string } };

const both = ({ context: { client }, params: { team } }: Load) => Promise.all([client.ensureQueryData(hooksQuery(team)), client.ensureQueryData(connectionsQuery(team))]);

/** What GitHub sends here and what this server may say there. */
export function hooksRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "ci/hooks",
      // Everything of GitHub was one page once: addresses that people kept lead to its deliveries.
      beforeLoad: ({ search, params }: Search) => {
        if (search.delivery || search.hook) throw redirect({ to: deliveriesPath(params.team), search: search as never });
      },
      loader: (load: Load) => both(load),
      component: lazyRouteComponent(() => import("../connections/ConnectionsPage"), "ConnectionsPage"),
    }),
    createRoute({
      getParentRoute: () => team,
      path: "ci/hooks/repositories",
      loader: (load: Load) => both(load),
      component: lazyRouteComponent(() => import("../connections/RepositoriesPage"), "RepositoriesPage"),
    }),
    createRoute({
      getParentRoute: () => team,
      path: "ci/hooks/addresses",
      loader: (load: Load) => both(load),
      component: lazyRouteComponent(() => import("./HooksPage"), "HooksPage"),
    }),
    createRoute({
      getParentRoute: () => team,
      path: "ci/hooks/deliveries",
      loader: (load: Load) => both(load),
      component: lazyRouteComponent(() => import("../deliveries/DeliveriesPage"), "DeliveriesPage"),
    }),
    createRoute({
      getParentRoute: () => team,
      path: "ci/hooks/rules",
      loader: ({ context: { client }, params }: Load) => Promise.all([client.ensureQueryData(rulesQuery(params.team)), client.ensureQueryData(channelsQuery(params.team))]),
      component: lazyRouteComponent(() => import("../rules/RulesPage"), "RulesPage"),
    }),
    createRoute({
      getParentRoute: () => team,
      path: "ci/hooks/posts",
      component: lazyRouteComponent(() => import("../posts/PostsPage"), "PostsPage"),
    }),
  ];
}
