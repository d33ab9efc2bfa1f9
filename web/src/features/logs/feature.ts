import { TextSearch } from "lucide-react";
import type { Feature } from "@/ui/frame/feature";
import { logsPath } from "./paths";
import { logsRoutes } from "./routes";

/** Lines that programs write, searched. */
export const logsFeature: Feature = {
  name: "logs",
  label: "Logs",
  icon: TextSearch,
  keys: "g l",
  home: logsPath,
  teamRoutes: logsRoutes,
  // Lines come too often to refetch by them: a search is run by its reader, and the live tail has a stream of its own.
  topics: { logs: () => [], "logs.sources": ({ team }) => [team ? ["logs", "sources", team] : ["logs", "sources"]] },
};
