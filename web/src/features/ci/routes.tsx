import type { AnyRoute } from "@tanstack/react-router";
import { approvalsRoutes } from "./approvals/routes";
import { buildFrameRoutes, buildRoutes } from "./build/routes";
import { editorRoutes } from "./editor/routes";
import { pipelineRoutes } from "./graph/routes";
import { hooksRoutes } from "./hooks/routes";
import { outputsRoutes } from "./outputs/routes";
import { wallRoutes } from "./wall/routes";
import { workersRoutes } from "./workers/routes";

/** Pages of pipelines below /teams/$team. */
export const ciRoutes = (team: AnyRoute): AnyRoute[] => [wallRoutes, hooksRoutes, approvalsRoutes, outputsRoutes, workersRoutes, editorRoutes, pipelineRoutes, buildRoutes].flatMap((routes) => routes(team));

/** Pages whose address names no team, as in Concourse: /builds/$build. */
export const ciFrameRoutes = (frame: AnyRoute): AnyRoute[] => buildFrameRoutes(frame);
