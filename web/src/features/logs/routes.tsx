import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { alertQuery, alertsQuery, targetsQuery } from "./alerts/queries";
import { sizesQuery } from "./limits/queries";
import { maskingQuery } from "./masking/queries";

type Load = { context: { client: QueryClient }; params: { team: string; alert: string } };

/** Pages of logs below /teams/$team. */
export function logsRoutes(team: AnyRoute): AnyRoute[] {
  const page = (path: string, component: ReturnType<typeof lazyRouteComponent>, loader?: (load: Load) => Promise<unknown>): AnyRoute =>
    createRoute({ getParentRoute: () => team, path, component, ...(loader ? { loader: (load: Load) => loader(load) } : {}) });
  return [
    page("logs", lazyRouteComponent(() => import("./explore/ExplorePage"), "ExplorePage")),
    page("logs/send", lazyRouteComponent(() => import("./send/SendPage"), "SendPage")),
    page("logs/masking", lazyRouteComponent(() => import("./masking/MaskingPage"), "MaskingPage"), ({ context: { client }, params }) => client.ensureQueryData(maskingQuery(params.team))),
    page("logs/limits", lazyRouteComponent(() => import("./limits/LimitsPage"), "LimitsPage"), ({ context: { client }, params }) => client.ensureQueryData(sizesQuery(params.team))),
    page("logs/alerts", lazyRouteComponent(() => import("./alerts/AlertsPage"), "AlertsPage"), ({ context: { client }, params }) => client.ensureQueryData(alertsQuery(params.team))),
    page("logs/alerts/new", lazyRouteComponent(() => import("./alerts/NewAlertPage"), "NewAlertPage"), ({ context: { client }, params }) => client.ensureQueryData(targetsQuery(params.team))),
    page("logs/alerts/$alert", lazyRouteComponent(() => import("./alerts/AlertPage"), "AlertPage"), ({ context: { client }, params }) =>
      Promise.all([client.ensureQueryData(targetsQuery(params.team)), client.ensureQueryData(alertQuery(params.alert))]),
    ),
  ];
}
