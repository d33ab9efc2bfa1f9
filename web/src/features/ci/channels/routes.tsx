import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { channelsQuery } from "./queries";

type Load = { context: { client: QueryClient }; params: { team: string } };

/** Who is told what; below the settings of a team. */
export function channelsRoutes(settings: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => settings,
      path: "channels",
      loader: ({ context: { client }, params }: Load) => client.ensureQueryData(channelsQuery(params.team)),
      component: lazyRouteComponent(() => import("./ChannelsPage"), "ChannelsPage"),
    }),
  ];
}
