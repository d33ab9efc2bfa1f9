import type { QueryClient } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { buildAddress, type Address } from "../address";
import { graphQuery, pipelinesQuery } from "../queries";

/** One task that needs no network: without an image it runs on this machine's own programs. */
export const helloYaml = `jobs:
- name: hello
  plan:
  - task: say-hello
    config:
      platform: linux
      run:
        path: sh
        args:
        - -c
        - |
          echo "Hello from your first pipeline."
          for step in one two three; do
            echo "step $step"
            sleep 1
          done
          echo "It ran in a container of its own: $(ls / | tr '\\n' ' ')"
          echo "Edit it, or set your own."
`;

/** Sets the sample pipeline, lets it run and starts it. Returns where its build is. */
export async function runHello(client: QueryClient, team: string): Promise<Address> {
  const { pipeline } = await data(api.PUT("/api/v1/ci/pipelines/config", { body: { team, name: "hello", yaml: helloYaml } }));
  const path = { id: pipeline.id };
  if (pipeline.paused) await api.POST("/api/v1/ci/pipelines/{id}/{action}", { params: { path: { ...path, action: "unpause" } } });
  const graph = await client.fetchQuery({ ...graphQuery(pipeline.id), staleTime: 0 });
  const job = graph.jobs[0];
  if (!job) throw new Error("The sample pipeline has no job.");
  const build = await data(api.POST("/api/v1/ci/jobs/{id}/builds", { params: { path: { id: job.id } } }));
  await client.invalidateQueries({ queryKey: pipelinesQuery(team).queryKey });
  return buildAddress({ team, name: pipeline.name, instance_vars: pipeline.instance_vars }, job.name, build);
}
