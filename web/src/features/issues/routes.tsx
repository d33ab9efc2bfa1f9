import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { Problem } from "@/api/problem";
import { alertQuery, alertsQuery, targetsQuery } from "./alerts/queries";
import { monitorQuery, monitorsQuery } from "./monitors/queries";
import { groupingRulesQuery } from "./grouping/queries";
import { scrubbingQuery } from "./privacy/queries";
import { eventQuery, ingestQuery, issueQuery, keysQuery, peopleQuery, projectsQuery, setupQuery, tagsQuery } from "./queries";
import { latestReleasesQuery, releaseHealthQuery, releaseQuery, releasesQuery } from "./releases/queries";

type Params = { team: string; project: string; issue: string; event: string; release: string; monitor: string; alert: string };
type Load = { context: { client: QueryClient }; params: Params; location: { search: Record<string, unknown> } };

const missing = (detail: string) => new Problem({ status: 404, title: "Not found", detail });

async function loadProject(client: QueryClient, { team, project }: Params) {
  const { items } = await client.ensureQueryData(projectsQuery(team));
  const found = items.find(({ slug }) => slug === project);
  if (!found) throw missing(`There is no project ${project} in ${team}.`);
  return found;
}

/** The number that an address names. */
function numberOf(text: string, what: string): number {
  const id = Number(text);
  if (!Number.isSafeInteger(id) || id < 1) throw missing(`“${text}” is not the number of ${what}.`);
  return id;
}

async function loadIssue(client: QueryClient, { team, issue }: Params, event: string) {
  const id = numberOf(issue, "an issue");
  await Promise.all([
    client.ensureQueryData(issueQuery(id)),
    client.ensureQueryData(projectsQuery(team)),
    client.ensureQueryData(peopleQuery(team)),
    client.ensureQueryData(tagsQuery(id)),
    // An issue outlives its events: then the page says that they are gone.
    client.ensureQueryData(eventQuery(id, event)).catch(() => undefined),
  ]);
}

async function loadRelease(client: QueryClient, { team, release }: Params) {
  const [found] = await Promise.all([client.ensureQueryData(releaseQuery(numberOf(release, "a release"))), client.ensureQueryData(projectsQuery(team))]);
  // Its weeks and its neighbours stand in the middle of the page; without them it still says the rest.
  await Promise.all([client.ensureQueryData(releaseHealthQuery(found.id)), client.ensureQueryData(latestReleasesQuery(team, found.projects[0]?.slug))]).catch(() => undefined);
}

const loadEditor = (client: QueryClient, team: string) => Promise.all([client.ensureQueryData(projectsQuery(team)), client.ensureQueryData(targetsQuery(team))]);

const projectIn = ({ project }: Record<string, unknown>) => (typeof project === "string" && project ? project : undefined);

/** Pages of issues below /teams/$team. */
export function issuesRoutes(team: AnyRoute): AnyRoute[] {
  const page = (path: string, loader: (load: Load) => Promise<unknown>, component: ReturnType<typeof lazyRouteComponent>): AnyRoute =>
    createRoute({ getParentRoute: () => team, path, loader: (load: Load) => loader(load), component });
  const project = (load: Load) => loadProject(load.context.client, load.params);
  return [
    page(
      "issues",
      ({ context: { client }, params }) => Promise.all([client.ensureQueryData(projectsQuery(params.team)), client.ensureQueryData(peopleQuery(params.team))]),
      lazyRouteComponent(() => import("./list/IssuesPage"), "IssuesPage"),
    ),
    page(
      "issues/projects/$project/setup",
      async (load) => load.context.client.ensureQueryData(setupQuery((await project(load)).id)),
      lazyRouteComponent(() => import("./project/SetupPage"), "SetupPage"),
    ),
    page(
      "issues/projects/$project/keys",
      async (load) => load.context.client.ensureQueryData(keysQuery((await project(load)).id)),
      lazyRouteComponent(() => import("./project/KeysPage"), "KeysPage"),
    ),
    page(
      "issues/projects/$project/intake",
      async (load) => load.context.client.ensureQueryData(ingestQuery((await project(load)).id, 24)),
      lazyRouteComponent(() => import("./project/IntakePage"), "IntakePage"),
    ),
    page(
      "issues/projects/$project/privacy",
      async (load) => load.context.client.ensureQueryData(scrubbingQuery((await project(load)).id)),
      lazyRouteComponent(() => import("./privacy/PrivacyPage"), "PrivacyPage"),
    ),
    page(
      "issues/projects/$project/grouping",
      async (load) => load.context.client.ensureQueryData(groupingRulesQuery((await project(load)).id)),
      lazyRouteComponent(() => import("./grouping/GroupingPage"), "GroupingPage"),
    ),
    page("issues/projects/$project/settings", project, lazyRouteComponent(() => import("./project/SettingsPage"), "SettingsPage")),
    page(
      "issues/releases",
      ({ context: { client }, params: { team }, location: { search } }) => Promise.all([client.ensureQueryData(projectsQuery(team)), client.ensureInfiniteQueryData(releasesQuery(team, projectIn(search)))]),
      lazyRouteComponent(() => import("./releases/ReleasesPage"), "ReleasesPage"),
    ),
    page(
      "issues/releases/$release",
      ({ context: { client }, params }) => loadRelease(client, params),
      lazyRouteComponent(() => import("./releases/ReleasePage"), "ReleasePage"),
    ),
    page(
      "issues/monitors",
      ({ context: { client }, params: { team }, location: { search } }) => Promise.all([client.ensureQueryData(projectsQuery(team)), client.ensureQueryData(monitorsQuery(team, projectIn(search)))]),
      lazyRouteComponent(() => import("./monitors/MonitorsPage"), "MonitorsPage"),
    ),
    page(
      "issues/monitors/$monitor",
      ({ context: { client }, params }) => Promise.all([client.ensureQueryData(projectsQuery(params.team)), client.ensureQueryData(monitorQuery(numberOf(params.monitor, "a monitor")))]),
      lazyRouteComponent(() => import("./monitors/MonitorPage"), "MonitorPage"),
    ),
    page(
      "issues/alerts",
      ({ context: { client }, params: { team } }) => Promise.all([client.ensureQueryData(projectsQuery(team)), client.ensureQueryData(alertsQuery(team))]),
      lazyRouteComponent(() => import("./alerts/AlertsPage"), "AlertsPage"),
    ),
    page("issues/alerts/new", ({ context: { client }, params: { team } }) => loadEditor(client, team), lazyRouteComponent(() => import("./alerts/NewAlertPage"), "NewAlertPage")),
    page(
      "issues/alerts/$alert",
      ({ context: { client }, params }) => Promise.all([loadEditor(client, params.team), client.ensureQueryData(alertQuery(numberOf(params.alert, "an alert")))]),
      lazyRouteComponent(() => import("./alerts/AlertPage"), "AlertPage"),
    ),
    page("issues/$issue", ({ context, params }) => loadIssue(context.client, params, "recommended"), lazyRouteComponent(() => import("./issue/IssuePage"), "IssuePage")),
    page("issues/$issue/events/$event", ({ context, params }) => loadIssue(context.client, params, params.event), lazyRouteComponent(() => import("./issue/IssuePage"), "IssuePage")),
  ];
}
