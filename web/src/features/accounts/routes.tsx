import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { membersQuery, secretsQuery, teamQuery, teamsQuery, tokensQuery, usersQuery } from "./queries";

type Load = { context: { client: QueryClient }; params: { team: string } };

/** Pages below /teams/$team/settings. */
export function settingsRoutes(settings: AnyRoute): AnyRoute[] {
  const getParentRoute = () => settings;
  return [
    createRoute({
      getParentRoute,
      path: "team",
      loader: ({ context, params }: Load) => context.client.ensureQueryData(teamQuery(params.team)),
      component: lazyRouteComponent(() => import("./TeamPage"), "TeamPage"),
    }),
    createRoute({
      getParentRoute,
      path: "members",
      loader: ({ context, params }: Load) => context.client.ensureQueryData(membersQuery(params.team)),
      component: lazyRouteComponent(() => import("./MembersPage"), "MembersPage"),
    }),
    createRoute({
      getParentRoute,
      path: "tokens",
      loader: ({ context }: Load) => context.client.ensureQueryData(tokensQuery),
      component: lazyRouteComponent(() => import("./TokensPage"), "TokensPage"),
    }),
    createRoute({
      getParentRoute,
      path: "secrets",
      loader: ({ context, params }: Load) => context.client.ensureQueryData(secretsQuery(params.team)),
      component: lazyRouteComponent(() => import("./SecretsPage"), "SecretsPage"),
    }),
  ];
}

/** Pages below /admin: people, teams and what they did. */
export function adminRoutes(admin: AnyRoute): AnyRoute[] {
  const getParentRoute = () => admin;
  return [
    createRoute({
      getParentRoute,
      path: "users",
      loader: ({ context }: Load) => context.client.ensureQueryData(usersQuery),
      component: lazyRouteComponent(() => import("./UsersPage"), "UsersPage"),
    }),
    createRoute({
      getParentRoute,
      path: "teams",
      loader: ({ context }: Load) => context.client.ensureQueryData(teamsQuery),
      component: lazyRouteComponent(() => import("./TeamsPage"), "TeamsPage"),
    }),
    createRoute({
      getParentRoute,
      path: "audit",
      // No loader: it would need the schema of the filters, and with it zod, on the first page.
      component: lazyRouteComponent(() => import("./AuditPage"), "AuditPage"),
    }),
  ];
}

/** The person's own page. */
export function accountRoutes(account: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => account,
      path: "/",
      component: lazyRouteComponent(() => import("./AccountPage"), "AccountPage"),
    }),
  ];
}
