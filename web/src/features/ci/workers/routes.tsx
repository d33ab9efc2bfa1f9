import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { pipelinesQuery, workersQuery } from "../queries";
import { containersQuery, volumesQuery } from "./queries";

type Load = { context: { client: QueryClient }; params: { team: string } };

/** Where builds run, and what they keep there. */
export function workersRoutes(team: AnyRoute): AnyRoute[] {
  const page = (path: string, load: (client: QueryClient, team: string) => Promise<unknown>, component: ReturnType<typeof lazyRouteComponent>) =>
    createRoute({
      getParentRoute: () => team,
      path,
      loader: ({ context: { client }, params }: Load) => Promise.all([client.ensureQueryData(pipelinesQuery(params.team)), load(client, params.team)]),
      component,
    });
  return [
    page("ci/workers", (client) => client.ensureQueryData(workersQuery), lazyRouteComponent(() => import("./WorkersPage"), "WorkersPage")),
    page("ci/workers/containers", (client, name) => client.ensureQueryData(containersQuery(name)), lazyRouteComponent(() => import("./ContainersPage"), "ContainersPage")),
    page("ci/workers/volumes", (client, name) => client.ensureQueryData(volumesQuery(name)), lazyRouteComponent(() => import("./VolumesPage"), "VolumesPage")),
  ];
}
