import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { buildFrameRoutes, buildRoutes } from "./build/routes";
import { editorRoutes } from "./editor/routes";
import { hooksRoutes } from "./hooks/routes";

/** Pages of pipelines below /teams/$team. */
export function ciRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "ci",
      component: lazyRouteComponent(() => import("./WallPage"), "WallPage"),
    }),
    ...hooksRoutes(team),
    ...editorRoutes(team),
    ...buildRoutes(team),
  ];
}

/** Pages whose address names no team, as in Concourse: /builds/$build. */
export const ciFrameRoutes = (frame: AnyRoute): AnyRoute[] => buildFrameRoutes(frame);
