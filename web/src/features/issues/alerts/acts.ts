import { useQueryClient } from "@tanstack/react-query";
import { api, data, done } from "@/api/client";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import type { Alert } from "./queries";

/** Switching, trying and deleting a rule, from its row and from its page. */
export function useAlertActs(team: string, after: { tested?: (alert: Alert) => void; deleted?: () => void } = {}) {
  const client = useQueryClient();
  const toast = useToast();
  const refresh = (id: number) => Promise.all([client.invalidateQueries({ queryKey: ["issues", "alerts", team] }), client.invalidateQueries({ queryKey: ["issues", "alert", id] })]);
  const toggle = useTask({
    run: (alert: Alert, enabled: boolean) => data(api.PATCH("/api/v1/issues/alerts/{id}", { params: { path: { id: alert.id } }, body: { enabled } })),
    failed: "The alert stays as it is.",
    onDone: (_, { id }) => void refresh(id),
  });
  const test = useTask({
    run: (alert: Alert) => data(api.POST("/api/v1/issues/alerts/{id}/test", { params: { path: { id: alert.id } } })),
    failed: "No test was sent.",
    onDone: (_, alert) => {
      toast({ text: `A test of ${alert.name} is on its way` });
      void refresh(alert.id);
      after.tested?.(alert);
    },
  });
  const remove = useTask({
    run: (alert: Alert) => done(api.DELETE("/api/v1/issues/alerts/{id}", { params: { path: { id: alert.id } } })),
    failed: "The alert is still there.",
    onDone: (_, { name }) => {
      toast({ text: `${name} is deleted` });
      after.deleted?.();
      void client.invalidateQueries({ queryKey: ["issues", "alerts", team] });
    },
  });
  return { toggle, test, remove };
}
