import { Bug } from "lucide-react";
import type { Feature } from "@/ui/frame/feature";
import { issuesPath } from "./paths";
import { issuesRoutes } from "./routes";

// An administrator follows teams they are no member of, and those changes name no team: then every team's list is stale.
const ofTeam = (list: string, team?: string) => (team ? ["issues", list, team] : ["issues", list]);

/** Errors that programs report. */
export const issuesFeature: Feature = {
  name: "issues",
  label: "Issues",
  icon: Bug,
  keys: "g i",
  home: issuesPath,
  teamRoutes: issuesRoutes,
  topics: {
    issues: ({ team }) => [ofTeam("list", team)],
    "issues.issue": ({ id, team }) => [["issues", "issue", Number(id)], ofTeam("list", team)],
    // Events and sessions move the numbers of releases too.
    "issues.project": ({ id, team }) => [["issues", "project", Number(id)], ofTeam("projects", team), ofTeam("releases", team), ["issues", "release"]],
    "issues.projects": ({ id, team }) => [["issues", "project", Number(id)], ofTeam("projects", team)],
    "issues.monitors": ({ team }) => [ofTeam("monitors", team), ["issues", "monitor"]],
    "issues.alerts": ({ team }) => [ofTeam("alerts", team), ["issues", "alert"]],
    "issues.erasures": ({ team }) => [ofTeam("erasures", team)],
    "issues.views": ({ team }) => [ofTeam("views", team)],
    "issues.ingest": ({ id, team }) => [["issues", "project", Number(id)], ofTeam("projects", team)],
  },
};
