import { Workflow } from "lucide-react";
import type { Feature } from "@/ui/frame/feature";
import { ciFrameRoutes, ciRoutes } from "./routes";

/** Pipelines. */
export const ciFeature: Feature = {
  name: "ci",
  label: "Pipelines",
  icon: Workflow,
  keys: "g p",
  home: (team) => `/teams/${encodeURIComponent(team)}/ci`,
  owns: (path) => /^\/teams\/[^/]+\/(ci|pipelines)(\/|$)|^\/builds\//.test(path),
  teamRoutes: ciRoutes,
  frameRoutes: ciFrameRoutes,
  topics: {
    "ci.pipeline": ({ team }) => [["ci", "pipelines", team]],
    "ci.build": ({ team }) => [["ci", "pipelines", team]],
  },
};
