import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { Problem } from "@/api/problem";
import { sessionQuery } from "@/api/session";
import { adminRoutes, accountRoutes, settingsRoutes } from "@/features/accounts/routes";
import { homeRoutes } from "@/features/home/routes";
import { notificationsRoutes } from "@/features/notifications/routes";
import { storyRoutes } from "@/features/story/routes";
import { systemRoutes } from "@/features/system/routes";
import { features } from "./features";
import { PagePending } from "./PagePending";
import { NotFound, RouteError } from "./RouteError";
import { SettingsLayout } from "./SettingsLayout";
import { Shell } from "./Shell";
import { homeTeam } from "./team";

type Context = { client: QueryClient };

const root = createRootRouteWithContext<Context>()({ component: Outlet });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  component: lazyRouteComponent(() => import("@/features/accounts/LoginPage"), "LoginPage"),
});

const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  beforeLoad: ({ context, location }) => requireSession(context.client, location),
  component: lazyRouteComponent(() => import("@/features/accounts/WelcomePage"), "WelcomePage"),
});

const frame = createRoute({
  getParentRoute: () => root,
  id: "frame",
  beforeLoad: async ({ context, location }) => {
    const me = await requireSession(context.client, location);
    if (me.user.must_change_password) throw redirect({ to: "/welcome", search: { next: location.href.split("#", 1)[0] } as never, hash: location.hash });
  },
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => frame,
  path: "/",
  beforeLoad: async ({ context }) => {
    const team = homeTeam(await context.client.ensureQueryData(sessionQuery));
    if (team) throw redirect({ to: "/teams/$team", params: { team } as never });
  },
  component: lazyRouteComponent(() => import("@/features/accounts/NoTeamPage"), "NoTeamPage"),
});

const team = createRoute({ getParentRoute: () => frame, path: "/teams/$team", component: Outlet });

const settings = createRoute({ getParentRoute: () => team, path: "settings", component: SettingsLayout });

const settingsHome = createRoute({
  getParentRoute: () => settings,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/teams/$team/settings/team", params: params as never });
  },
});

const account = createRoute({ getParentRoute: () => frame, path: "/account", component: SettingsLayout });

const admin = createRoute({ getParentRoute: () => frame, path: "/admin", component: SettingsLayout });

const adminHome = createRoute({
  getParentRoute: () => admin,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/admin/health" });
  },
});

/** What stands behind the # stays there on the way over the sign-in page: it may be a secret, and no server is to see it. */
async function requireSession(client: QueryClient, { href, hash }: { href: string; hash: string }) {
  try {
    return await client.ensureQueryData(sessionQuery);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) throw redirect({ to: "/login", search: { next: href.split("#", 1)[0] } as never, hash });
    throw error;
  }
}

/** Builds the router over everything the features bring. */
export function createAppRouter(client: QueryClient) {
  const routeTree = root.addChildren([
    login,
    welcome,
    frame.addChildren([
      home,
      account.addChildren(accountRoutes(account)),
      admin.addChildren([adminHome, ...adminRoutes(admin), ...systemRoutes(admin)]),
      ...features.flatMap((feature) => feature.frameRoutes?.(frame) ?? []),
      team.addChildren([
        ...homeRoutes(team),
        ...storyRoutes(team),
        ...notificationsRoutes(team),
        settings.addChildren([settingsHome, ...settingsRoutes(settings), ...features.flatMap((feature) => feature.settings?.routes(settings) ?? [])]),
        ...features.flatMap((feature) => feature.teamRoutes(team)),
      ]),
    ]),
  ]);
  return createRouter({
    routeTree,
    context: { client },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultPendingMs: 300,
    defaultPendingMinMs: 0,
    scrollRestoration: false,
    defaultErrorComponent: RouteError,
    defaultNotFoundComponent: () => <NotFound />,
    defaultPendingComponent: () => <PagePending />,
  });
}
