import type { BuildSummary, Graph, GraphResource, Job, Pipeline } from "./queries";

// What tests begin from: a thing in its quietest state, changed where the test says.

export const at = (seconds: number) => new Date(Date.UTC(2026, 3, 17, 12, 0, seconds)).toISOString();

export function aBuild(change: Partial<BuildSummary> = {}): BuildSummary {
  return { id: 1, job: "ci", job_id: 1, name: "1", status: "succeeded", created_at: at(0), started_at: at(0), ended_at: at(10), ...change };
}

export function aJob(change: Partial<Job> = {}): Job {
  return {
    id: 1,
    name: "ci",
    pipeline: { id: 1, name: "web" },
    paused: false,
    groups: [],
    inputs: [],
    outputs: [],
    last_builds: [],
    has_new_inputs: false,
    disable_manual_trigger: false,
    waiting: [],
    ...change,
  };
}

export function aResource(change: Partial<GraphResource> = {}): GraphResource {
  return { id: 1, name: "shop", type: "git", pinned: false, ...change };
}

export function aPipeline(change: Partial<Pipeline> = {}): Pipeline {
  return {
    id: 1,
    name: "web",
    team: "acme",
    paused: false,
    public: false,
    archived: false,
    groups: [],
    status: "succeeded",
    running: 0,
    last_builds: [],
    updated_at: at(0),
    version: 1,
    ...change,
  };
}

export function aGraph(change: Partial<Graph> = {}): Graph {
  return { pipeline: aPipeline(), groups: [], jobs: [], resources: [], ...change };
}
