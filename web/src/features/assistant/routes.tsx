import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { guardRoutes } from "./approvals/routes";
import { meQuery, runQuery, runsQuery, settingsQuery } from "./queries";
import { slackRoutes } from "./slack/routes";

type Load = { context: { client: QueryClient }; params: { team: string; run: string } };

/** Pages of the assistant below /teams/$team. */
export function assistantRoutes(team: AnyRoute): AnyRoute[] {
  const page = (path: string, component: ReturnType<typeof lazyRouteComponent>, loader: (load: Load) => Promise<unknown>): AnyRoute =>
    createRoute({ getParentRoute: () => team, path, component, loader: (load: Load) => loader(load) });
  return [
    ...guardRoutes(team),
    page("assistant", lazyRouteComponent(() => import("./AskPage"), "AskPage"), ({ context: { client }, params }) => client.ensureQueryData(runsQuery(params.team))),
    page("assistant/runs", lazyRouteComponent(() => import("./runs/RunsPage"), "RunsPage"), ({ context: { client }, params }) => client.ensureQueryData(runsQuery(params.team))),
    page("assistant/runs/$run", lazyRouteComponent(() => import("./RunPage"), "RunPage"), ({ context: { client }, params }) => client.ensureQueryData(runQuery(params.run))),
    page("assistant/settings", lazyRouteComponent(() => import("./SettingsPage"), "SettingsPage"), ({ context: { client }, params }) =>
      Promise.all([client.ensureQueryData(settingsQuery(params.team)), client.ensureQueryData(meQuery())]),
    ),
    ...slackRoutes(team),
  ];
}
