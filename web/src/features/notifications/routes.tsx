import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { channelsQuery, messagesQuery, rulesQuery } from "./queries";
import { historySearch } from "./search";

type Load = { context: { client: QueryClient }; params: { team: string }; location: { search: Record<string, unknown> } };

/** Who is told what: channels, the rules of every capability, and what was told. */
export function notificationsRoutes(team: AnyRoute): AnyRoute[] {
  const getParentRoute = () => team;
  const channels = ({ context, params }: Load) => context.client.ensureQueryData(channelsQuery(params.team));
  return [
    createRoute({
      getParentRoute,
      path: "notifications",
      beforeLoad: ({ params }) => {
        throw redirect({ to: "/teams/$team/notifications/channels", params: params as never });
      },
    }),
    createRoute({
      getParentRoute,
      path: "notifications/channels",
      loader: channels,
      component: lazyRouteComponent(() => import("./ChannelsPage"), "ChannelsPage"),
    }),
    createRoute({
      getParentRoute,
      path: "notifications/rules",
      loader: (load: Load) => Promise.all([channels(load), load.context.client.ensureQueryData(rulesQuery(load.params.team))]),
      component: lazyRouteComponent(() => import("./RulesPage"), "RulesPage"),
    }),
    createRoute({
      getParentRoute,
      path: "notifications/history",
      loader: (load: Load) => Promise.all([channels(load), load.context.client.ensureQueryData(messagesQuery(load.params.team, historySearch.parse(load.location.search)))]),
      component: lazyRouteComponent(() => import("./HistoryPage"), "HistoryPage"),
    }),
  ];
}
