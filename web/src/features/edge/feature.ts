import { Server } from "lucide-react";
import type { Feature } from "@/ui/frame/feature";
import { fleetPath } from "./paths";
import { edgeRoutes } from "./routes";

// An administrator follows teams they are no member of, and those changes name no team: then every team's list is stale.
const ofTeam = (list: string, team?: string) => (team ? ["edge", list, team] : ["edge", list]);

/** Nodes far away, and what is installed on them. */
export const edgeFeature: Feature = {
  name: "edge",
  label: "Edge",
  icon: Server,
  keys: "g e",
  home: fleetPath,
  teamRoutes: edgeRoutes,
  topics: {
    "edge.nodes": ({ id, team }) => [ofTeam("grid", team), ofTeam("nodes", team), ofTeam("counts", team), id ? ["edge", "node", id] : ["edge", "node"]],
    "edge.expected": ({ team }) => [ofTeam("expected", team)],
    "edge.tokens": ({ team }) => [ofTeam("tokens", team)],
    "edge.sites": ({ team }) => [ofTeam("sites", team)],
    "edge.bundles": ({ team }) => [ofTeam("bundles", team), ofTeam("bundle", team), ofTeam("nodes", team)],
    "edge.trust": ({ team }) => [ofTeam("trust", team)],
    "edge.policies": ({ team, id }) => [ofTeam("policies", team), id ? ["edge", "policy", id] : ["edge", "policy"]],
    "edge.rollouts": ({ team, id }) => [ofTeam("rollouts", team), ofTeam("policies", team), id ? ["edge", "rollout", id] : ["edge", "rollout"]],
    "edge.freezes": ({ team }) => [ofTeam("freezes", team)],
  },
};
