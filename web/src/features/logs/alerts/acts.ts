import { useQueryClient } from "@tanstack/react-query";
import { api, data, done } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { span } from "./form";
import type { Alert } from "./queries";

/** Why this person may not change alerts of a team; false when they may. */
export const useMemberRefusal = (team: string) => refusal(useSession(), team, "member");

const change = (id: string, body: { enabled?: boolean; mute_minutes?: number }) => data(api.PATCH("/api/v1/logs/alerts/{alert}", { params: { path: { alert: id } }, body }));

/** What is done to an alert beside changing its words. */
export function useAlertActs(team: string, after: { tested?: (alert: Alert) => void; deleted?: () => void } = {}) {
  const client = useQueryClient();
  const toast = useToast();
  const refresh = (id: string) => Promise.all([client.invalidateQueries({ queryKey: ["logs", "alerts", team] }), client.invalidateQueries({ queryKey: ["logs", "alert", id] })]);
  const toggle = useTask({
    run: (alert: Alert, enabled: boolean) => change(alert.id, { enabled }),
    failed: "The alert stays as it is.",
    onDone: (_, { id }) => void refresh(id),
  });
  const mute = useTask({
    run: (alert: Alert, minutes: number) => change(alert.id, { mute_minutes: minutes }),
    failed: "The alert stays as it is.",
    onDone: (_, { id, name }, minutes) => {
      toast({ text: minutes > 0 ? `${name} tells nobody for ${span(minutes)}` : `${name} tells again` });
      void refresh(id);
    },
  });
  const test = useTask({
    run: (alert: Alert) => data(api.POST("/api/v1/logs/alerts/{alert}/test", { params: { path: { alert: alert.id } } })),
    failed: "No test was sent.",
    onDone: (_, alert) => {
      toast({ text: `A test of ${alert.name} is on its way` });
      void refresh(alert.id);
      after.tested?.(alert);
    },
  });
  const remove = useTask({
    run: (alert: Alert) => done(api.DELETE("/api/v1/logs/alerts/{alert}", { params: { path: { alert: alert.id } } })),
    failed: "The alert is still there.",
    onDone: (_, { name }) => {
      toast({ text: `${name} is deleted` });
      after.deleted?.();
      void client.invalidateQueries({ queryKey: ["logs", "alerts", team] });
    },
  });
  return { toggle, mute, test, remove };
}
