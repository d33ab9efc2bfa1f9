import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { bundleQuery } from "./bundles/queries";
import { freezesQuery } from "./freezes/queries";
import { eventsQuery, nodeCvesQuery, nodeQuery, packagesQuery } from "./node/queries";
import { policiesQuery, policyQuery } from "./policies/queries";
import { sourcesQuery } from "./policies/sources/queries";
import { bundlesQuery, countsQuery, expectedQuery, gridQuery, nodesQuery, pendingMost, pendingOnes, rolloutsQuery, rowsFirst, sitesQuery, tokensQuery, trustQuery } from "./queries";
import { allMembers, membersQuery, rolloutEventsQuery, rolloutQuery } from "./rollouts/queries";

type Params = { team: string; node: string; rollout: string; bundle: string; policy: string };
type Load = { context: { client: QueryClient }; params: Params; location: { search: Record<string, unknown> } };

/** What a page needs, and what would push it apart when it came later. Where the latter fails, its own place on the page says so. */
const withParts = (page: Promise<unknown>, ...parts: Promise<unknown>[]) => Promise.all([page, ...parts.map((part) => part.catch(() => undefined))]);

function loadFleet(client: QueryClient, team: string, { q, view }: Record<string, unknown>) {
  const words = typeof q === "string" ? q : "";
  return withParts(client.ensureQueryData(countsQuery(team)), client.ensureQueryData(gridQuery(team, words)), ...(view === "table" ? [client.ensureQueryData(nodesQuery(team, words, rowsFirst))] : []));
}

const loadNode = (client: QueryClient, id: string) =>
  withParts(client.ensureQueryData(nodeQuery(id)), client.ensureQueryData(eventsQuery(id)), client.ensureQueryData(nodeCvesQuery(id)), client.ensureQueryData(packagesQuery(id)));

const loadEnrolment = (client: QueryClient, team: string) =>
  withParts(client.ensureQueryData(tokensQuery(team)), client.ensureQueryData(nodesQuery(team, pendingOnes, pendingMost)), client.ensureQueryData(expectedQuery(team)));

/** The nodes are loaded as the address asks for them, where it asks for nothing. */
const loadRollout = (client: QueryClient, id: string, search: Record<string, unknown>) =>
  withParts(client.ensureQueryData(rolloutQuery(id)), client.ensureQueryData(rolloutEventsQuery(id)), ...(search.state || search.batch || search.q ? [] : [client.ensureInfiniteQueryData(membersQuery(id, allMembers))]));

/** Pages of edge below /teams/$team. */
export function edgeRoutes(team: AnyRoute): AnyRoute[] {
  const page = (path: string, component: ReturnType<typeof lazyRouteComponent>, loader: (client: QueryClient, params: Params, search: Record<string, unknown>) => Promise<unknown>): AnyRoute =>
    createRoute({ getParentRoute: () => team, path, component, loader: ({ context: { client }, params, location }: Load) => loader(client, params, location.search) });
  return [
    page("edge", lazyRouteComponent(() => import("./fleet/FleetPage"), "FleetPage"), (client, params, search) => loadFleet(client, params.team, search)),
    page("edge/enrolment", lazyRouteComponent(() => import("./enrolment/EnrolmentPage"), "EnrolmentPage"), (client, params) => loadEnrolment(client, params.team)),
    page("edge/nodes/$node", lazyRouteComponent(() => import("./node/NodePage"), "NodePage"), (client, params) => loadNode(client, params.node)),
    page("edge/rollouts", lazyRouteComponent(() => import("./rollouts/RolloutsPage"), "RolloutsPage"), (client, params) => client.ensureQueryData(rolloutsQuery(params.team))),
    page("edge/rollouts/$rollout", lazyRouteComponent(() => import("./rollouts/RolloutPage"), "RolloutPage"), (client, params, search) => loadRollout(client, params.rollout, search)),
    page("edge/bundles", lazyRouteComponent(() => import("./bundles/BundlesPage"), "BundlesPage"), (client, params) => client.ensureQueryData(bundlesQuery(params.team))),
    page("edge/bundles/$bundle", lazyRouteComponent(() => import("./bundles/BundlePage"), "BundlePage"), (client, params) => client.ensureQueryData(bundleQuery(params.team, params.bundle))),
    page("edge/policies", lazyRouteComponent(() => import("./policies/PoliciesPage"), "PoliciesPage"), (client, params) => client.ensureQueryData(policiesQuery(params.team))),
    page("edge/policies/new", lazyRouteComponent(() => import("./policies/NewPolicyPage"), "NewPolicyPage"), (client, params) => client.ensureQueryData(bundlesQuery(params.team))),
    page("edge/policies/sources", lazyRouteComponent(() => import("./policies/sources/SourcesPage"), "SourcesPage"), (client, params) => client.ensureQueryData(sourcesQuery(params.team))),
    page("edge/policies/$policy", lazyRouteComponent(() => import("./policies/PolicyPage"), "PolicyPage"), (client, params) => client.ensureQueryData(policyQuery(params.policy))),
    page("edge/sites", lazyRouteComponent(() => import("./sites/SitesPage"), "SitesPage"), (client, params) => client.ensureQueryData(sitesQuery(params.team))),
    page("edge/freezes", lazyRouteComponent(() => import("./freezes/FreezesPage"), "FreezesPage"), (client, params) => client.ensureQueryData(freezesQuery(params.team))),
    page("edge/cves", lazyRouteComponent(() => import("./cves/CvePage"), "CvePage"), (client, params) => client.ensureQueryData(countsQuery(params.team))),
    page("edge/keys", lazyRouteComponent(() => import("./trust/KeysPage"), "KeysPage"), (client, params) => client.ensureQueryData(trustQuery(params.team))),
  ];
}
