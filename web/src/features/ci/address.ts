import type { QueryClient } from "@tanstack/react-query";
import { params, values } from "@/ui/schema";
import { Problem } from "@/api/problem";
import { jobPath, pipelinePath, resourcePath } from "./paths";
import { graphQuery, type GraphResource, type Job, type Pipeline, pipelinesQuery } from "./queries";

export type InstanceVars = Record<string, unknown>;
type Named = Pick<Pipeline, "team" | "name" | "instance_vars">;

/** Where a page is: a path, and `?vars=` where several pipelines share the name. */
export type Address = { to: string; search?: Record<string, unknown> };

/** The part of every address below a pipeline that tells instances apart. */
export const instanceSearch = params({ vars: values() });

const searchOf = ({ instance_vars: vars }: Named) => (vars && Object.keys(vars).length > 0 ? { search: { vars } } : {});

export const pipelineAddress = (pipeline: Named): Address => ({ to: pipelinePath(pipeline.team, pipeline.name), ...searchOf(pipeline) });
export const jobAddress = (pipeline: Named, job: string): Address => ({ to: jobPath(pipeline.team, pipeline.name, job), ...searchOf(pipeline) });
export const resourceAddress = (pipeline: Named, resource: string): Address => ({ to: resourcePath(pipeline.team, pipeline.name, resource), ...searchOf(pipeline) });

/** A build by its name below its job; builds of instances go by their id, which needs no vars. */
export function buildAddress(pipeline: Named, job: string, build: { id: number; name: string }): Address {
  if (searchOf(pipeline).search) return { to: `/builds/${build.id}` };
  return { to: `${jobPath(pipeline.team, pipeline.name, job)}/builds/${encodeURIComponent(build.name)}` };
}

/** "deploy" or, for an instance, "deploy branch:main". */
export function pipelineTitle(pipeline: Pick<Pipeline, "name" | "instance_vars">): string {
  const vars = instanceWords(pipeline.instance_vars);
  return vars ? `${pipeline.name} ${vars}` : pipeline.name;
}

/** "branch:main,env:prod", as fly writes it. */
export function instanceWords(vars: InstanceVars | null | undefined): string {
  return Object.entries(vars ?? {})
    .map(([name, value]) => `${name}:${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(",");
}

/** How fly names it on a command line: "web" or "deploy/branch:main". */
export function flyName(pipeline: Pick<Pipeline, "name" | "instance_vars">): string {
  const vars = instanceWords(pipeline.instance_vars);
  return vars ? `${pipeline.name}/${vars}` : pipeline.name;
}

/** Whether two sets of vars are the same whatever the order of their names. */
export function sameVars(a: InstanceVars | null | undefined, b: InstanceVars | null | undefined): boolean {
  return canonical(a ?? {}) === canonical(b ?? {});
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const parts = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`);
  return `{${parts.join(",")}}`;
}

/** The pipeline an address names. Without vars: the one that has none, else the first of that name. */
export function choosePipeline(items: Pipeline[], name: string, vars?: InstanceVars): Pipeline | undefined {
  const named = items.filter((pipeline) => pipeline.name === name);
  return named.find((pipeline) => sameVars(pipeline.instance_vars, vars)) ?? (vars ? undefined : named[0]);
}

type Where = { team: string; name: string; vars?: InstanceVars };

/** What is known is tried first, then the server: it may have been set since. */
export async function findPipeline(client: QueryClient, { team, name, vars }: Where): Promise<Pipeline> {
  const query = pipelinesQuery(team);
  const known = choosePipeline((await client.ensureQueryData(query)).items, name, vars);
  const found = known ?? choosePipeline((await client.fetchQuery({ ...query, staleTime: 0 })).items, name, vars);
  if (!found) throw missing(`There is no pipeline ${pipelineTitle({ name, instance_vars: vars })} in team ${team}.`);
  return found;
}

export async function findJob(client: QueryClient, where: Where & { job: string }): Promise<Job> {
  const { id } = await findPipeline(client, where);
  const find = async (fresh: boolean) => {
    const graph = await (fresh ? client.fetchQuery({ ...graphQuery(id), staleTime: 0 }) : client.ensureQueryData(graphQuery(id)));
    return graph.jobs.find((job) => job.name === where.job);
  };
  const found = (await find(false)) ?? (await find(true));
  if (!found) throw missing(`There is no job ${where.job} in pipeline ${where.name}.`);
  return found;
}

export async function findResource(client: QueryClient, where: Where & { resource: string }): Promise<GraphResource> {
  const { id } = await findPipeline(client, where);
  const find = async (fresh: boolean) => {
    const graph = await (fresh ? client.fetchQuery({ ...graphQuery(id), staleTime: 0 }) : client.ensureQueryData(graphQuery(id)));
    return graph.resources.find((resource) => resource.name === where.resource);
  };
  const found = (await find(false)) ?? (await find(true));
  if (!found) throw missing(`There is no resource ${where.resource} in pipeline ${where.name}.`);
  return found;
}

function missing(detail: string): Problem {
  return new Problem({ status: 404, title: "Not found", detail });
}
