import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { homeQuery, proposalsQuery, servicesQuery } from "./queries";

type Load = { context: { client: QueryClient }; params: { team: string } };

/** Pages below /teams/$team that join every capability. */
export function homeRoutes(team: AnyRoute): AnyRoute[] {
  const getParentRoute = () => team;
  return [
    createRoute({
      getParentRoute,
      path: "/",
      loader: ({ context, params }: Load) => context.client.ensureQueryData(homeQuery(params.team)),
      component: lazyRouteComponent(() => import("./HomePage"), "HomePage"),
    }),
    createRoute({
      getParentRoute,
      path: "timeline",
      component: lazyRouteComponent(() => import("./TimelinePage"), "TimelinePage"),
    }),
    createRoute({
      getParentRoute,
      path: "services",
      loader: ({ context, params }: Load) => Promise.all([context.client.ensureQueryData(servicesQuery(params.team)), context.client.ensureQueryData(proposalsQuery(params.team))]),
      component: lazyRouteComponent(() => import("./ServicesPage"), "ServicesPage"),
    }),
    createRoute({
      getParentRoute,
      path: "services/$service",
      loader: ({ context, params }: Load) => context.client.ensureQueryData(servicesQuery(params.team)),
      component: lazyRouteComponent(() => import("./ServicePage"), "ServicePage"),
    }),
  ];
}
