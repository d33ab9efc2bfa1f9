import { useQueryClient } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { useSession } from "@/api/session";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import type { Worker } from "./state";

function send(name: string, land: boolean) {
  const options = { params: { path: { name } } };
  return data(land ? api.POST("/api/v1/ci/workers/{name}/land", options) : api.POST("/api/v1/ci/workers/{name}/resume", options));
}

/** Workers belong to everybody, so only administrators stop them. */
export function useAdminRefusal(): string | false {
  return useSession().user.is_admin ? false : "An administrator of this server may do this.";
}

/** Lets a worker finish and take nothing new, or take builds again. */
export function useLanding() {
  const client = useQueryClient();
  const toast = useToast();
  const refresh = () => client.invalidateQueries({ queryKey: ["ci", "workers"] });
  return useTask({
    run: ({ name }: Pick<Worker, "name">, land: boolean) => send(name, land),
    failed: "The worker goes on as before.",
    onDone: (_, { name }, land) => {
      void refresh();
      toast({
        text: land ? `${name} finishes what it runs and takes nothing new` : `${name} takes builds again`,
        undo: () => void send(name, !land).then(refresh),
      });
    },
  });
}

/** Throws away the caches of a worker that has landed, or forgets one that is gone. */
export function usePrune(onDone: () => void) {
  const client = useQueryClient();
  const toast = useToast();
  return useTask({
    run: ({ name }: Pick<Worker, "name">) => data(api.POST("/api/v1/ci/workers/{name}/prune", { params: { path: { name } } })),
    failed: "Nothing was removed.",
    onDone: (_, { name }) => {
      for (const of of ["workers", "containers", "volumes"]) void client.invalidateQueries({ queryKey: ["ci", of] });
      toast({ text: `${name} is pruned` });
      onDone();
    },
  });
}
