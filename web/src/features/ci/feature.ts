import { Workflow } from "lucide-react";
import type { Feature } from "@/ui/frame/feature";
import { wallPath } from "./paths";
import { ciFrameRoutes, ciRoutes } from "./routes";

/** Pipelines. */
export const ciFeature: Feature = {
  name: "ci",
  label: "Pipelines",
  icon: Workflow,
  keys: "g p",
  home: wallPath,
  owns: (path) => /^\/teams\/[^/]+\/(ci|pipelines)(\/|$)|^\/builds\//.test(path),
  teamRoutes: ciRoutes,
  frameRoutes: ciFrameRoutes,
  topics: {
    "ci.pipeline": ({ id, team }) => [
      ["ci", "pipelines", team],
      ["ci", "pipeline", Number(id)],
    ],
    // The server names the pipeline of a job, a build and a resource as well, so graphs need no rule here.
    "ci.job": ({ id }) => [["ci", "job", Number(id)]],
    "ci.build": ({ id, team }) => [
      ["ci", "build", Number(id)],
      ["ci", "builds", team],
    ],
    "ci.resource": ({ id }) => [["ci", "resource", Number(id)]],
    "ci.hook": ({ team }) => [["ci", "hooks", team]],
    "ci.connection": ({ team }) => [["ci", "connections", team]],
    "ci.delivery": ({ id, team }) => [
      ["ci", "deliveries", team],
      ["ci", "delivery", id],
      ["ci", "hooks", team],
    ],
  },
};
