import type { QueryClient } from "@tanstack/react-query";
import { type AnyRoute, createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { findJob, findPipeline, findResource, instanceSearch, type InstanceVars } from "../address";
import { graphQuery, jobBuildsQuery, jobQuery, resourceQuery, versionsQuery } from "../queries";
import { jobSearch } from "../job/search";
import { resourceSearch, versionsShown } from "../resource/search";

type Params = { team: string; name: string; job: string; resource: string };
type Load<Deps> = { context: { client: QueryClient }; params: Params; deps: Deps };
type Search = { search: Record<string, unknown> };
type Vars = { vars?: InstanceVars };

/** A pipeline, its jobs and its resources. */
export function pipelineRoutes(team: AnyRoute): AnyRoute[] {
  return [
    createRoute({
      getParentRoute: () => team,
      path: "pipelines/$name",
      loaderDeps: ({ search }: Search): Vars => ({ vars: instanceSearch.parse(search).vars }),
      loader: async ({ context: { client }, params, deps }: Load<Vars>) => {
        const { id } = await findPipeline(client, { ...params, ...deps });
        await client.ensureQueryData(graphQuery(id));
        return { id };
      },
      component: lazyRouteComponent(() => import("./PipelinePage"), "PipelinePage"),
    }),
    createRoute({
      getParentRoute: () => team,
      path: "pipelines/$name/jobs/$job",
      loaderDeps: ({ search }: Search) => {
        const { vars, before } = jobSearch.parse(search);
        return { vars, before };
      },
      loader: async ({ context: { client }, params, deps }: Load<Vars & { before?: number }>) => {
        const { id, pipeline } = await findJob(client, { ...params, vars: deps.vars });
        await Promise.all([client.ensureQueryData(jobQuery(id)), client.ensureQueryData(jobBuildsQuery(id, deps.before)), client.ensureQueryData(graphQuery(pipeline.id))]);
        return { id, pipeline: pipeline.id };
      },
      component: lazyRouteComponent(() => import("../job/JobPage"), "JobPage"),
    }),
    createRoute({
      getParentRoute: () => team,
      path: "pipelines/$name/resources/$resource",
      loaderDeps: ({ search }: Search) => {
        const { vars, offset } = resourceSearch.parse(search);
        return { vars, offset };
      },
      loader: async ({ context: { client }, params, deps }: Load<Vars & { offset: number }>) => {
        const pipeline = await findPipeline(client, { ...params, vars: deps.vars });
        const { id } = await findResource(client, { ...params, vars: deps.vars });
        await Promise.all([client.ensureQueryData(resourceQuery(id)), client.ensureQueryData(versionsQuery(id, deps.offset, versionsShown)), client.ensureQueryData(graphQuery(pipeline.id))]);
        return { id, pipeline: pipeline.id };
      },
      component: lazyRouteComponent(() => import("../resource/ResourcePage"), "ResourcePage"),
    }),
  ];
}
