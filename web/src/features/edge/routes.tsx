import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { nodeQuery } from "./node/queries";
import { countsQuery, tokensQuery } from "./queries";

type Load = { context: { client: QueryClient }; params: { team: string; node: string; rollout: string; bundle: string; policy: string } };

/** Pages of edge below /teams/$team. */
export function edgeRoutes(team: AnyRoute): AnyRoute[] {
  const page = (path: string, component: ReturnType<typeof lazyRouteComponent>, loader?: (load: Load) => Promise<unknown>): AnyRoute =>
    createRoute({ getParentRoute: () => team, path, component, ...(loader ? { loader: (load: Load) => loader(load) } : {}) });
  return [
    page("edge", lazyRouteComponent(() => import("./fleet/FleetPage"), "FleetPage"), ({ context: { client }, params }) => client.ensureQueryData(countsQuery(params.team))),
    page("edge/enrolment", lazyRouteComponent(() => import("./enrolment/EnrolmentPage"), "EnrolmentPage"), ({ context: { client }, params }) => client.ensureQueryData(tokensQuery(params.team))),
    page("edge/nodes/$node", lazyRouteComponent(() => import("./node/NodePage"), "NodePage"), ({ context: { client }, params }) => client.ensureQueryData(nodeQuery(params.node))),
  ];
}
