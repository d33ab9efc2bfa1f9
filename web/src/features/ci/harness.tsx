import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { type Me, type Role, sessionQuery } from "@/api/session";
import { FrameProvider } from "@/ui/frame/FrameProvider";

/** Draws a part of a page for somebody with a role in team acme. Returns where the router stands. */
export async function draw(part: ReactNode, role: Role = "owner") {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
  const me: Me = {
    user: { id: 7, name: "ann", is_admin: false, must_change_password: false },
    teams: [{ name: "acme", role }],
    csrf_token: "token",
    capabilities: ["ci"],
    version: "test",
    public_url: "https://signalbox.example",
    setup_complete: true,
  };
  client.setQueryData(sessionQuery.queryKey, me);
  const root = createRootRoute();
  const here = createRoute({ getParentRoute: () => root, path: "/", component: () => part });
  const anywhere = createRoute({ getParentRoute: () => root, path: "$", component: () => null });
  const router = createRouter({ routeTree: root.addChildren([here, anywhere]), history: createMemoryHistory({ initialEntries: ["/"] }) });
  // The document of tests cannot scroll.
  window.scrollTo = () => undefined;
  await router.load();
  render(
    <QueryClientProvider client={client}>
      <FrameProvider>
        <RouterProvider router={router as never} />
      </FrameProvider>
    </QueryClientProvider>,
  );
  return { router, client };
}
