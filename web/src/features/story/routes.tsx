import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { storyQuery } from "./queries";

type Load = { context: { client: QueryClient } };

/** The page of the demo's story, which other servers answer with "not found". */
export function storyRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "story",
      loader: ({ context }: Load) => context.client.ensureQueryData(storyQuery(1000)),
      component: lazyRouteComponent(() => import("./StoryPage"), "StoryPage"),
    }),
  ];
}
