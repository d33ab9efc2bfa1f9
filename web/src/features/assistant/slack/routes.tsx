import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { linkPath } from "./paths";
import { mineQuery } from "./queries";

type Load = { context: { client: QueryClient }; params: { team: string } };

/** The page of Slack below /teams/$team. */
export function slackRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "assistant/slack",
      component: lazyRouteComponent(() => import("./SlackPage"), "SlackPage"),
      loader: ({ context: { client } }: Load) => client.ensureQueryData(mineQuery()),
    }),
  ];
}

/** The page that says whether a person in Slack is the reader. */
export function linkRoutes(frame: AnyRoute): AnyRoute[] {
  return [createRoute({ getParentRoute: () => frame, path: linkPath, component: lazyRouteComponent(() => import("./LinkPage"), "LinkPage") })];
}
