import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { backupsQuery, deadJobsQuery, healthQuery, loopsQuery } from "./queries";

type Load = { context: { client: QueryClient } };

/** Pages below /admin: how the server is doing. */
export function systemRoutes(admin: AnyRoute): AnyRoute[] {
  const getParentRoute = () => admin;
  return [
    createRoute({
      getParentRoute,
      path: "health",
      loader: ({ context }: Load) => Promise.all([context.client.ensureQueryData(healthQuery), context.client.ensureQueryData(loopsQuery)]),
      component: lazyRouteComponent(() => import("./HealthPage"), "HealthPage"),
    }),
    createRoute({
      getParentRoute,
      path: "backups",
      loader: ({ context }: Load) => context.client.ensureQueryData(backupsQuery),
      component: lazyRouteComponent(() => import("./BackupsPage"), "BackupsPage"),
    }),
    createRoute({
      getParentRoute,
      path: "jobs",
      loader: ({ context }: Load) => context.client.ensureQueryData(deadJobsQuery()),
      component: lazyRouteComponent(() => import("./JobsPage"), "JobsPage"),
    }),
  ];
}
