import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";

/** Pages of logs below /teams/$team. */
export function logsRoutes(team: AnyRoute): AnyRoute[] {
  const page = (path: string, component: ReturnType<typeof lazyRouteComponent>): AnyRoute => createRoute({ getParentRoute: () => team, path, component });
  return [
    page("logs", lazyRouteComponent(() => import("./explore/ExplorePage"), "ExplorePage")),
    page("logs/send", lazyRouteComponent(() => import("./send/SendPage"), "SendPage")),
  ];
}
