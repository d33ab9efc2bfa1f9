import { type AnyRoute, createRoute, redirect } from "@tanstack/react-router";

/** Notifications stand in the list of settings, and have a page of their own that joins every capability. */
export function channelsRoutes(settings: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => settings,
      path: "channels",
      beforeLoad: ({ params }) => {
        throw redirect({ to: "/teams/$team/notifications/channels", params: params as never });
      },
    }),
  ];
}
