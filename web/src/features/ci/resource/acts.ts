import { useQueryClient } from "@tanstack/react-query";
import { api } from "@/api/client";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { pipelineQuery, type Resource, resourceQuery, type Version } from "../queries";

function useRefresh(resource: Pick<Resource, "id" | "pipeline">) {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: resourceQuery(resource.id).queryKey }),
      client.invalidateQueries({ queryKey: pipelineQuery(resource.pipeline.id).queryKey }),
    ]);
}

export function usePin(resource: Resource, onDone: () => void) {
  const refresh = useRefresh(resource);
  return useTask({
    run: (version: Version, comment: string) => api.POST("/api/v1/ci/resources/{id}/pin", { params: { path: { id: resource.id } }, body: { version_id: version.id, comment } }),
    onDone: () => {
      void refresh();
      onDone();
    },
  });
}

export function useUnpin(resource: Resource, pipeline: number) {
  const refresh = useRefresh({ id: resource.id, pipeline: { id: pipeline, name: "" } });
  const toast = useToast();
  return useTask({
    run: () => api.POST("/api/v1/ci/resources/{id}/unpin", { params: { path: { id: resource.id } } }),
    failed: "It stays pinned.",
    onDone: () => {
      void refresh();
      toast({ text: `${resource.name} is no longer pinned; jobs use its latest version` });
    },
  });
}

/** Lets jobs use a version, or not; the other way is one press away. */
export function useEnable(resource: Resource) {
  const refresh = useRefresh(resource);
  const toast = useToast();
  const set = async (version: Pick<Version, "id">, enable: boolean) => {
    await api.POST("/api/v1/ci/versions/{id}/{action}", { params: { path: { id: version.id, action: enable ? "enable" : "disable" } } });
    await refresh();
  };
  return useTask({
    run: set,
    failed: "The version stays as it is.",
    onDone: (_, version, enable) => toast({ text: enable ? "Jobs may use the version again" : "Jobs pass over this version", undo: () => void set(version, !enable) }),
  });
}
