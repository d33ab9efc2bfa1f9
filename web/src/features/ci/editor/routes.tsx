import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { findPipeline, instanceSearch, type InstanceVars } from "../address";
import { configQuery } from "../queries";

type Load = { context: { client: QueryClient }; params: { team: string; name: string }; deps: { vars?: InstanceVars } };

/** A new pipeline, and the configuration of one that exists. */
export function editorRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "ci/new",
      component: lazyRouteComponent(() => import("./NewPipelinePage"), "NewPipelinePage"),
    }),
    createRoute({
      getParentRoute: () => team,
      path: "pipelines/$name/edit",
      loaderDeps: ({ search }: { search: Record<string, unknown> }) => ({ vars: instanceSearch.parse(search).vars }),
      loader: async ({ context: { client }, params, deps }: Load) => {
        const pipeline = await findPipeline(client, { ...params, ...deps });
        await client.fetchQuery({ ...configQuery(pipeline.id), staleTime: 0 });
        return { id: pipeline.id };
      },
      component: lazyRouteComponent(() => import("./EditPipelinePage"), "EditPipelinePage"),
    }),
  ];
}
