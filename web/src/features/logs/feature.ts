import { TextSearch } from "lucide-react";
import type { Feature } from "@/ui/frame/feature";
import { logsPath } from "./paths";
import { logsRoutes } from "./routes";

// An administrator follows teams they are no member of, and those changes name no team: then every team's list is stale.
const ofTeam = (list: string, team?: string) => (team ? ["logs", list, team] : ["logs", list]);

/** Lines that programs write, searched. */
export const logsFeature: Feature = {
  name: "logs",
  label: "Logs",
  icon: TextSearch,
  keys: "g l",
  home: logsPath,
  teamRoutes: logsRoutes,
  // Lines come too often to refetch by them: a search is run by its reader, and the live tail has a stream of its own.
  topics: {
    logs: () => [],
    "logs.sources": ({ team }) => [ofTeam("sources", team)],
    "logs.alerts": ({ team, id }) => [ofTeam("alerts", team), id ? ["logs", "alert", id] : ["logs", "alert"]],
    "logs.searches": ({ team }) => [ofTeam("saved", team)],
  },
};
