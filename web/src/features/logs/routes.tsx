import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { alertQuery, alertsQuery, targetsQuery } from "./alerts/queries";
import { limitsQuery, sizesQuery, sourcesQuery } from "./limits/queries";
import { maskingQuery } from "./masking/queries";
import { logsPath } from "./paths";
import { searchOf } from "./saved/address";
import { linkQuery } from "./saved/queries";

type Load = { context: { client: QueryClient }; params: { team: string; alert: string; link: string } };

/** Pages of logs below /teams/$team. */
export function logsRoutes(team: AnyRoute): AnyRoute[] {
  const page = (path: string, component: ReturnType<typeof lazyRouteComponent>, loader?: (load: Load) => Promise<unknown>): AnyRoute =>
    createRoute({ getParentRoute: () => team, path, component, ...(loader ? { loader: (load: Load) => loader(load) } : {}) });
  return [
    page("logs", lazyRouteComponent(() => import("./explore/ExplorePage"), "ExplorePage")),
    page("logs/send", lazyRouteComponent(() => import("./send/SendPage"), "SendPage"), ({ context: { client }, params }) =>
      // What came in stands above the addresses: later it would push them away. Without it the page is as good.
      Promise.all([client.ensureQueryData(sourcesQuery(params.team)), client.ensureQueryData(sizesQuery(params.team))]).catch(() => undefined),
    ),
    page("logs/masking", lazyRouteComponent(() => import("./masking/MaskingPage"), "MaskingPage"), ({ context: { client }, params }) => client.ensureQueryData(maskingQuery(params.team))),
    page("logs/limits", lazyRouteComponent(() => import("./limits/LimitsPage"), "LimitsPage"), ({ context: { client }, params }) =>
      Promise.all([client.ensureQueryData(sizesQuery(params.team)), client.ensureQueryData(limitsQuery(params.team))]),
    ),
    page("logs/alerts", lazyRouteComponent(() => import("./alerts/AlertsPage"), "AlertsPage"), ({ context: { client }, params }) => client.ensureQueryData(alertsQuery(params.team))),
    page("logs/alerts/new", lazyRouteComponent(() => import("./alerts/NewAlertPage"), "NewAlertPage"), ({ context: { client }, params }) => client.ensureQueryData(targetsQuery(params.team))),
    page("logs/alerts/$alert", lazyRouteComponent(() => import("./alerts/AlertPage"), "AlertPage"), ({ context: { client }, params }) =>
      Promise.all([client.ensureQueryData(targetsQuery(params.team)), client.ensureQueryData(alertQuery(params.alert))]),
    ),
    createRoute({
      getParentRoute: () => team,
      path: "logs/links/$link",
      loader: async ({ context, params }) => {
        const { client } = context as Load["context"];
        const { team: name, link } = params as Load["params"];
        throw redirect({ to: logsPath(name), search: searchOf(await client.ensureQueryData(linkQuery(link))) as never, replace: true });
      },
    }),
  ];
}
