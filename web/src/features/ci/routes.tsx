import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";

/** Pages of pipelines below /teams/$team. */
export function ciRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "ci",
      component: lazyRouteComponent(() => import("./WallPage"), "WallPage"),
    }),
  ];
}

/** Pages whose address names no team, as in Concourse: /builds/$build. */
export const ciFrameRoutes = (): AnyRoute[] => [];
