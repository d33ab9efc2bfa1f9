import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { instanceSearch, type InstanceVars } from "../address";
import { buildQuery } from "../queries";
import { findBuild } from "./named";

type Named = { context: { client: QueryClient }; params: { team: string; name: string; job: string; build: string }; deps: { vars?: InstanceVars } };

/** A build by its name, below its job. */
export function buildRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "pipelines/$name/jobs/$job/builds/$build",
      loaderDeps: ({ search }: { search: Record<string, unknown> }) => ({ vars: instanceSearch.parse(search).vars }),
      loader: async ({ context: { client }, params, deps }: Named) => {
        const found = await findBuild(client, { ...params, ...deps });
        if (found.id !== undefined) await client.ensureQueryData(buildQuery(found.id));
        return found;
      },
      component: lazyRouteComponent(() => import("./BuildPage"), "BuildPage"),
    }),
  ];
}

/** A build by its id alone: links in commit statuses, and checks, which have no job. */
export function buildFrameRoutes(frame: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => frame,
      path: "builds/$build",
      loader: async ({ context: { client }, params }: { context: { client: QueryClient }; params: { build: string } }) => {
        const { id } = await client.ensureQueryData(buildQuery(Number(params.build)));
        return { id };
      },
      component: lazyRouteComponent(() => import("./BuildPage"), "BuildPage"),
    }),
  ];
}
