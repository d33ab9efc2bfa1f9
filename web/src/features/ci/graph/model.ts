import type { Graph, GraphResource, Job } from "../queries";

export type JobNode = { id: string; kind: "job"; job: Job };
/** A resource as one place of the drawing shows it: what enters, or what a job hands on. */
export type PillNode = { id: string; kind: "pill"; name: string; resource?: GraphResource; after?: string[] };
export type GraphNode = JobNode | PillNode;

export type GraphEdge = { id: string; from: string; to: string; triggers: boolean };

export type Drawing = { nodes: GraphNode[]; edges: GraphEdge[] };

const jobId = (name: string) => `job:${name}`;
const entryId = (resource: string) => `in:${resource}`;
const afterId = (jobs: string[], resource: string) => `after:${jobs.toSorted().join("+")}:${resource}`;

/** Jobs of one group, or all of them. */
export function jobsOf(graph: Pick<Graph, "jobs" | "groups">, group?: string): Job[] {
  const members = group ? graph.groups.find(({ name }) => name === group)?.jobs : undefined;
  return members ? graph.jobs.filter(({ name }) => members.includes(name)) : graph.jobs;
}

/**
 * What is drawn: a resource stands once where it enters, and once behind the jobs that a later one wants it `passed`
 * by, or behind the job that puts it. An edge is solid when a new version starts the job.
 */
export function drawing(graph: Pick<Graph, "jobs" | "groups" | "resources">, group?: string): Drawing {
  const jobs = jobsOf(graph, group);
  const shown = new Set(jobs.map(({ name }) => name));
  const resources = new Map(graph.resources.map((resource) => [resource.name, resource]));
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  const pill = (id: string, name: string, after?: string[]) => {
    if (!nodes.has(id)) nodes.set(id, { id, kind: "pill", name, resource: resources.get(name), after });
    return id;
  };
  const edge = (from: string, to: string, triggers: boolean) => {
    const id = `${from}>${to}`;
    // Two inputs of one resource share the line; it is solid when one of them triggers.
    edges.set(id, { id, from, to, triggers: triggers || (edges.get(id)?.triggers ?? false) });
  };
  const handOn = (by: string[], resource: string) => {
    const id = pill(afterId(by, resource), resource, by);
    for (const job of by) edge(jobId(job), id, true);
    return id;
  };
  for (const job of jobs) nodes.set(jobId(job.name), { id: jobId(job.name), kind: "job", job });
  for (const job of jobs) {
    for (const input of job.inputs) {
      const passed = input.passed.filter((name) => shown.has(name));
      if (passed.length === 0) edge(pill(entryId(input.resource), input.resource), jobId(job.name), input.trigger);
      else edge(handOn(passed, input.resource), jobId(job.name), input.trigger);
    }
  }
  const handedOn = (job: string, resource: string) => [...nodes.values()].some((node) => node.kind === "pill" && node.name === resource && node.after?.includes(job));
  for (const job of jobs) for (const { resource } of job.outputs) if (!handedOn(job.name, resource)) handOn([job.name], resource);
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

export type Lit = { nodes: Set<string>; edges: Set<string> };

/** Everything up and down the stream of one node, itself included. */
export function pathThrough(edges: GraphEdge[], start: string): Lit {
  const lit: Lit = { nodes: new Set([start]), edges: new Set() };
  walk(edges, start, "from", "to", lit);
  walk(edges, start, "to", "from", lit);
  return lit;
}

function walk(edges: GraphEdge[], start: string, near: "from" | "to", far: "from" | "to", lit: Lit): void {
  const seen = new Set([start]);
  const open = [start];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const edge of edges) {
      if (edge[near] !== at) continue;
      lit.edges.add(edge.id);
      lit.nodes.add(edge[far]);
      if (seen.has(edge[far])) continue;
      seen.add(edge[far]);
      open.push(edge[far]);
    }
  }
}

/** The edges that feed builds which run now. */
export function feeding({ nodes, edges }: Drawing): Set<string> {
  const running = new Set(nodes.filter((node) => node.kind === "job" && node.job.next_build?.status === "started").map(({ id }) => id));
  return new Set(edges.filter(({ to }) => running.has(to)).map(({ id }) => id));
}
