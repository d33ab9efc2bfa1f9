import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useMemo, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { absolute } from "../explore/range";
import { namesQuery } from "../queries";
import { useSettled } from "../useSettled";
import { useMemberRefusal } from "./acts";
import { AlertPreview } from "./AlertPreview";
import { begin, draftOf, fromSearch, nameOf, ruleOf } from "./form";
import { type Alert, type AlertDraft, alertPreviewQuery, targetsQuery } from "./queries";
import { SentenceFields } from "./SentenceFields";

type Props = {
  team: string;
  alert?: Alert;
  /** The search that a new alert is made from. */
  query?: string;
  days: 1 | 7;
  onDays: (days: 1 | 7) => void;
  onSaved: (alert: Alert) => void;
};

/** The sentence being written at the left, what it would have done at the right. */
export function AlertEditor({ team, alert, query, days, onDays, onSaved }: Props) {
  const targets = useSuspenseQuery(targetsQuery(team)).data;
  const [form, setForm] = useState(() => ({ ...begin(alert, targets), ...(query && !alert ? fromSearch(query) : {}) }));
  const refused = useMemberRefusal(team);
  const client = useQueryClient();
  const toast = useToast();
  const names = useNames(team);
  const draft = draftOf(form, team, days);
  const settled = JSON.parse(useSettled(JSON.stringify(draft), 400)) as AlertDraft;
  const preview = useQuery({ ...alertPreviewQuery(settled), placeholderData: (before) => before });
  const save = useTask({
    run: async () => {
      // The sentence is the server's: an alert that nobody named is named by it.
      const sentence = form.name.trim() ? "" : (await client.fetchQuery(alertPreviewQuery(draft))).sentence;
      const body = { ...ruleOf(form), name: nameOf(form, sentence) };
      if (alert) return data(api.PATCH("/api/v1/logs/alerts/{alert}", { params: { path: { alert: alert.id } }, body }));
      return data(api.POST("/api/v1/logs/alerts", { body: { ...body, team } }));
    },
    onDone: (saved) => {
      toast({ text: alert ? `${saved.name} is changed` : `${saved.name} is watched from now on; try its test button` });
      void Promise.all([client.invalidateQueries({ queryKey: ["logs", "alerts", team] }), client.invalidateQueries({ queryKey: ["logs", "alert", saved.id] })]);
      onSaved(saved);
    },
  });
  const problem = save.error ? asProblem(save.error) : preview.error ? asProblem(preview.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!refused) void save.start();
  };
  return (
    <div className="logs-split">
      <form className="pane logs-form" onSubmit={submit} noValidate>
        {save.error !== null && problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
        {targets.channels.length === 0 && (
          <Notice kind="warn">
            There is nobody to tell yet.{" "}
            <Link className="link underline" to={`/teams/${encodeURIComponent(team)}/settings/channels`}>
              Make a channel
            </Link>{" "}
            for mail, Slack or a webhook; until then an alert is shown here alone.
          </Notice>
        )}
        <SentenceFields form={form} onChange={setForm} names={names} targets={targets} problem={problem} />
        <div className="line">
          <Button kind="primary" size="form" type="submit" busy={save.busy} refused={refused}>
            {alert ? "Save" : "Create the alert"}
          </Button>
        </div>
      </form>
      <AlertPreview team={team} draft={settled} preview={preview} days={days} onDays={onDays} />
    </div>
  );
}

/** Fields of the lines of the last day, to choose from. */
function useNames(team: string): string[] {
  const [now] = useState(() => Date.now());
  const asked = useMemo(() => ({ team, query: "", ...absolute({ from: now - 86_400_000, to: now }) }), [team, now]);
  const { data } = useQuery(namesQuery(asked));
  return data?.names.map(({ name }) => name).filter((name) => !name.startsWith("_")) ?? [];
}
