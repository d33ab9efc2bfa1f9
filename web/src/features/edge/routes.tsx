import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { bundleQuery } from "./bundles/queries";
import { freezesQuery } from "./freezes/queries";
import { nodeQuery } from "./node/queries";
import { policiesQuery, policyQuery } from "./policies/queries";
import { sourcesQuery } from "./policies/sources/queries";
import { bundlesQuery, countsQuery, rolloutsQuery, sitesQuery, tokensQuery, trustQuery } from "./queries";
import { rolloutQuery } from "./rollouts/queries";

type Load = { context: { client: QueryClient }; params: { team: string; node: string; rollout: string; bundle: string; policy: string } };

/** Pages of edge below /teams/$team. */
export function edgeRoutes(team: AnyRoute): AnyRoute[] {
  const page = (path: string, component: ReturnType<typeof lazyRouteComponent>, loader: (client: QueryClient, params: Load["params"]) => Promise<unknown>): AnyRoute =>
    createRoute({ getParentRoute: () => team, path, component, loader: ({ context, params }) => loader((context as Load["context"]).client, params as Load["params"]) });
  return [
    page("edge", lazyRouteComponent(() => import("./fleet/FleetPage"), "FleetPage"), (client, params) => client.ensureQueryData(countsQuery(params.team))),
    page("edge/enrolment", lazyRouteComponent(() => import("./enrolment/EnrolmentPage"), "EnrolmentPage"), (client, params) => client.ensureQueryData(tokensQuery(params.team))),
    page("edge/nodes/$node", lazyRouteComponent(() => import("./node/NodePage"), "NodePage"), (client, params) => client.ensureQueryData(nodeQuery(params.node))),
    page("edge/rollouts", lazyRouteComponent(() => import("./rollouts/RolloutsPage"), "RolloutsPage"), (client, params) => client.ensureQueryData(rolloutsQuery(params.team))),
    page("edge/rollouts/$rollout", lazyRouteComponent(() => import("./rollouts/RolloutPage"), "RolloutPage"), (client, params) => client.ensureQueryData(rolloutQuery(params.rollout))),
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
