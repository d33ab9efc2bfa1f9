import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { configQuery, pipelineNamed } from "../queries";

type Load = { context: { client: QueryClient }; params: { team: string; name: string } };

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
      loader: async ({ context: { client }, params }: Load) => {
        const pipeline = await pipelineNamed(client, params.team, params.name);
        await client.fetchQuery({ ...configQuery(pipeline.id), staleTime: 0 });
        return { id: pipeline.id };
      },
      component: lazyRouteComponent(() => import("./EditPipelinePage"), "EditPipelinePage"),
    }),
  ];
}
