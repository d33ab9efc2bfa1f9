import { useQueryClient } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { type Delivery, deliveryQuery, type Hook } from "../queries";

/** Why a delivery cannot be worked on again; false when it can. */
export function redeliverRefusal({ verdict, event }: Pick<Delivery, "verdict" | "event">): string | false {
  if (verdict === "refused") return "It was refused: nothing of it was kept to be worked on.";
  if (event === "ping") return "A ping asks for nothing.";
  return false;
}

/** Why GitHub cannot be asked for it; false when it can. */
export function askRefusal({ verdict }: Pick<Delivery, "verdict">, hook: Pick<Hook, "managed" | "gap"> | undefined): string | false {
  if (verdict === "refused") return "It was refused, so nobody knows whether it was GitHub who sent it.";
  if (!hook) return "Its webhook is deleted.";
  if (!hook.gap.possible) return hook.managed ? "GitHub's list can be asked after the first delivery." : "GitHub's list can be asked only with a connection. Set the webhook up under Repositories.";
  return false;
}

function useRefresh(team: string) {
  const client = useQueryClient();
  return (delivery: string) => {
    void client.invalidateQueries({ queryKey: ["ci", "deliveries", team] });
    void client.invalidateQueries({ queryKey: deliveryQuery(delivery).queryKey });
  };
}

/** Works on a delivery again, from what was kept of it. */
export function useRedeliver(team: string) {
  const toast = useToast();
  const refresh = useRefresh(team);
  return useTask({
    run: (delivery: string) => data(api.POST("/api/v1/ci/deliveries/{id}/redeliver", { params: { path: { id: delivery } } })),
    failed: "Not delivered again.",
    onDone: (renewed) => {
      toast({ text: `The ${renewed.event} is worked on again` });
      refresh(renewed.id);
    },
  });
}

/** Has GitHub send a delivery once more. */
export function useAskGitHub(team: string) {
  const toast = useToast();
  const refresh = useRefresh(team);
  return useTask({
    run: (delivery: string) => data(api.POST("/api/v1/ci/deliveries/{id}/ask-github", { params: { path: { id: delivery } } })),
    failed: "GitHub was not asked.",
    onDone: (asked) => {
      toast({ text: `GitHub sends the ${asked.event} again` });
      refresh(asked.id);
    },
  });
}
