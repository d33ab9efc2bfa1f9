import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Activity, Archive, Bell, Bug, CircleCheck, Folder, HeartPulse, History, List, Package, Star, Tag, User } from "lucide-react";
import { ContextGroup, ContextItem, ContextList } from "@/ui/frame/ContextList";
import { useActions } from "@/ui/frame/hooks";
import { alertsPath, issuesPath, monitorsPath, releasePath, releasesPath, setupPath } from "./paths";
import { projectsQuery } from "./queries";
import { latestReleasesQuery } from "./releases/queries";
import { percent } from "./releases/words";
import { searchOf } from "./views/address";
import { viewsQuery } from "./views/queries";

/** Queries that have a name of their own. */
export const views = [
  { label: "Unresolved", query: undefined, icon: List },
  { label: "For me", query: "is:unresolved assigned:me", icon: User },
  { label: "New", query: "is:unresolved is:new", icon: Tag },
  { label: "Regressed", query: "is:unresolved is:regressed", icon: History },
  { label: "Escalating", query: "is:unresolved is:escalating", icon: Activity },
  { label: "Resolved", query: "is:resolved", icon: CircleCheck },
  { label: "Archived", query: "is:archived", icon: Archive },
] as const;

/** The list at the left of every page of issues: projects, then views. */
export function IssuesContext({ team, project }: { team: string; project?: string }) {
  const { items: projects } = useSuspenseQuery(projectsQuery(team)).data;
  const home = issuesPath(team);
  const releases = useQuery(latestReleasesQuery(team, project)).data?.items ?? [];
  const saved = useQuery(viewsQuery(team)).data?.items ?? [];
  const navigate = useNavigate();
  const go = (to: string) => () => void navigate({ to });
  useActions([
    { id: "issues.releases", label: "Releases", group: "Issues", icon: Package, also: "versions deploys", run: go(releasesPath(team)) },
    { id: "issues.alerts", label: "Alerts", group: "Issues", icon: Bell, also: "notifications rules", run: go(alertsPath(team)) },
    { id: "issues.monitors", label: "Monitors", group: "Issues", icon: HeartPulse, also: "crons heartbeats", run: go(monitorsPath(team)) },
  ]);
  const quiet = projects.filter(({ last_event_at: at }) => !at).length;
  return (
    <ContextList foot={quiet > 0 ? `${quiet} of ${projects.length} report nothing yet` : undefined}>
      <ContextGroup title="Projects">
        <ContextItem to={home} search={{}} icon={Bug} label="All projects" end={projects.length} />
        {projects.map(({ id, slug, first_event_at: first }) =>
          first ? (
            <ContextItem key={id} to={home} search={{ project: slug }} icon={Folder} label={slug} />
          ) : (
            <ContextItem key={id} to={setupPath(team, slug)} icon={Folder} label={slug} end="set up" />
          ),
        )}
      </ContextGroup>
      <ContextGroup title="Views">
        {views.map(({ label, query, icon }) => (
          <ContextItem key={label} to={home} search={{ ...(project ? { project } : {}), ...(query ? { query } : {}) }} icon={icon} label={label} />
        ))}
        {saved.map((view) => (
          <ContextItem key={view.id} to={home} search={searchOf(view)} icon={Star} label={view.name} />
        ))}
      </ContextGroup>
      <ContextGroup title="Releases">
        <ContextItem to={releasesPath(team)} search={{}} icon={Package} label="All releases" />
        {releases.slice(0, 3).map(({ id, short_version: short, health }) => (
          <ContextItem key={id} to={releasePath(team, id)} icon={Tag} label={short} end={percent(health.adoption)} />
        ))}
      </ContextGroup>
      <ContextGroup title="Watch">
        <ContextItem to={monitorsPath(team)} icon={HeartPulse} label="Monitors" deep />
        <ContextItem to={alertsPath(team)} icon={Bell} label="Alerts" deep />
      </ContextGroup>
    </ContextList>
  );
}
