import { Bell, Workflow } from "lucide-react";
import type { Feature } from "@/ui/frame/feature";
import { channelsRoutes } from "./channels/routes";
import { wallPath } from "./paths";
import { ciFrameRoutes, ciRoutes } from "./routes";

// An administrator follows teams they are no member of, and those changes name no team: then every team's list is stale.
const ofTeam = (list: string, team?: string) => (team ? ["ci", list, team] : ["ci", list]);

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
  settings: { entries: [{ path: "channels", label: "Notifications", icon: Bell }], routes: channelsRoutes },
  topics: {
    "ci.pipeline": ({ id, team }) => [
      ofTeam("pipelines", team),
      ["ci", "pipeline", Number(id)],
    ],
    // The server names the pipeline of a job, a build and a resource as well, so graphs need no rule here.
    "ci.job": ({ id }) => [["ci", "job", Number(id)]],
    "ci.build": ({ id, team }) => [
      ["ci", "build", Number(id)],
      ofTeam("builds", team),
    ],
    "ci.resource": ({ id }) => [["ci", "resource", Number(id)]],
    "ci.channel": () => [["notifications"]],
    "ci.approval": () => [["ci", "approvals"]],
    "ci.hook": ({ team }) => [ofTeam("hooks", team)],
    "ci.connection": ({ team }) => [ofTeam("connections", team)],
    "ci.delivery": ({ id, team }) => [
      ofTeam("deliveries", team),
      ["ci", "delivery", id],
      ofTeam("hooks", team),
    ],
  },
};
