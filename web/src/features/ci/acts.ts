import { useQueryClient } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { buildAddress, jobAddress, pipelineTitle } from "./address";
import { type GraphResource, type Job, jobQuery, type Pipeline, pipelineQuery, pipelinesQuery, resourceQuery } from "./queries";
import { useGo } from "./useGo";

type Where = Pick<Pipeline, "id" | "team" | "name" | "instance_vars">;

/** Why this person may not run, pause or check in a team; false when they may. */
export function useOperatorRefusal(team: string): string | false {
  return refusal(useSession(), team, "pipeline-operator");
}

/** Pauses or lets run a pipeline. The stream refreshes the page; it is not waited for. */
export function usePausePipeline() {
  const client = useQueryClient();
  const toast = useToast();
  const task = useTask({
    run: (pipeline: Where, pause: boolean) => act(pipeline.id, pause),
    failed: "The pipeline stays as it is.",
    onDone: (_, pipeline, pause) => {
      void refresh(pipeline);
      toast({
        text: pause ? `${pipelineTitle(pipeline)} is paused` : `${pipelineTitle(pipeline)} runs again`,
        undo: () => void act(pipeline.id, !pause).then(() => refresh(pipeline)),
      });
    },
  });
  function refresh(pipeline: Where) {
    return Promise.all([
      client.invalidateQueries({ queryKey: pipelinesQuery(pipeline.team).queryKey }),
      client.invalidateQueries({ queryKey: pipelineQuery(pipeline.id).queryKey }),
    ]);
  }
  return task;
}

function act(id: number, pause: boolean) {
  return api.POST("/api/v1/ci/pipelines/{id}/{action}", { params: { path: { id, action: pause ? "pause" : "unpause" } } });
}

/** Starts a build and goes to it; where the job asks for inputs, goes to its form. */
export function useRunJob(pipeline: Where) {
  const client = useQueryClient();
  const go = useGo();
  return useTask({
    run: async (job: Pick<Job, "id" | "name" | "run_inputs">) => (asks(job) ? undefined : data(api.POST("/api/v1/ci/jobs/{id}/builds", { params: { path: { id: job.id } } }))),
    failed: "No build was started.",
    onDone: (build, job) => {
      if (!build) {
        const { to, search } = jobAddress(pipeline, job.name);
        go({ to, search: { ...search, run: true } });
        return;
      }
      void client.invalidateQueries({ queryKey: jobQuery(job.id).queryKey });
      void client.invalidateQueries({ queryKey: pipelineQuery(pipeline.id).queryKey });
      go(buildAddress(pipeline, job.name, build));
    },
  });
}

/** Whether a job wants to know something before it is started by hand. */
export const asks = ({ run_inputs: inputs }: Pick<Job, "run_inputs">) => (inputs?.length ?? 0) > 0;

export function usePauseJob(pipeline: Pick<Where, "id">) {
  const client = useQueryClient();
  const toast = useToast();
  const set = async (job: Pick<Job, "id" | "name">, pause: boolean) => {
    await api.POST("/api/v1/ci/jobs/{id}/{action}", { params: { path: { id: job.id, action: pause ? "pause" : "unpause" } } });
    await Promise.all([client.invalidateQueries({ queryKey: jobQuery(job.id).queryKey }), client.invalidateQueries({ queryKey: pipelineQuery(pipeline.id).queryKey })]);
  };
  return useTask({
    run: set,
    failed: "The job stays as it is.",
    onDone: (_, job, pause) => toast({ text: pause ? `${job.name} is paused` : `${job.name} runs again`, undo: () => void set(job, !pause) }),
  });
}

/** Looks for new versions now and goes to the build of the check. */
export function useCheck() {
  const client = useQueryClient();
  const go = useGo();
  return useTask({
    run: (resource: Pick<GraphResource, "id" | "name">) => data(api.POST("/api/v1/ci/resources/{id}/check", { params: { path: { id: resource.id } } })),
    failed: "The check was not started.",
    onDone: (build, resource) => {
      void client.invalidateQueries({ queryKey: resourceQuery(resource.id).queryKey });
      go({ to: `/builds/${build.id}` });
    },
  });
}

/** Why a job cannot be started by this person, or by anybody; false when it can. */
export function runRefusal(job: Pick<Job, "disable_manual_trigger">, pipeline: Pick<Pipeline, "archived">, role: string | false): string | false {
  if (role) return role;
  if (pipeline.archived) return "The pipeline is archived. Set it again to run it.";
  if (job.disable_manual_trigger) return "The configuration says disable_manual_trigger: only new versions start it.";
  return false;
}
