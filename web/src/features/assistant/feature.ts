import { MessageSquareText } from "lucide-react";
import type { Feature } from "@/ui/frame/feature";
import { assistantPath } from "./paths";
import { assistantRoutes } from "./routes";
import { linkRoutes } from "./slack/routes";

/** Questions, answered by looking things up. */
export const assistantFeature: Feature = {
  name: "assistant",
  label: "Assistant",
  icon: MessageSquareText,
  keys: "g a",
  home: assistantPath,
  teamRoutes: assistantRoutes,
  frameRoutes: linkRoutes,
  topics: {
    "assistant.approvals": ({ id, team }) => [["assistant", "approvals", team], ["assistant", "approval", id], ["assistant", "run"]],
    "assistant.servers": ({ team }) => [["assistant", "servers", team]],
    "assistant.run": ({ id, team }) => [["assistant", "run", id], team ? ["assistant", "runs", team] : ["assistant", "runs"]],
  },
};
