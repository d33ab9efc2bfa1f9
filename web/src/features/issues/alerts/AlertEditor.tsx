import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { useMemberRefusal } from "../acts";
import { useSettled } from "../privacy/useSettled";
import { projectsQuery } from "../queries";
import { AlertPreview } from "./AlertPreview";
import { begin, draftOf, nameOf } from "./form";
import { type Alert, type AlertDraft, alertPreviewQuery, targetsQuery } from "./queries";
import { SentenceFields } from "./SentenceFields";

type Props = { team: string; alert?: Alert; project?: number; onSaved: (alert: Alert) => void };

/** The sentence being written at the left, what it would have done at the right. */
export function AlertEditor({ team, alert, project, onSaved }: Props) {
  const targets = useSuspenseQuery(targetsQuery(team)).data;
  const projects = useSuspenseQuery(projectsQuery(team)).data.items;
  const [form, setForm] = useState(() => ({ ...begin(alert, targets), ...(alert || !project ? {} : { project }) }));
  const refused = useMemberRefusal(team);
  const client = useQueryClient();
  const toast = useToast();
  const draft = draftOf(form, team);
  const settled = JSON.parse(useSettled(JSON.stringify(draft), 300)) as AlertDraft;
  const save = useTask({
    run: async () => {
      // The sentence is the server's: a rule that nobody named is named by it.
      const sentence = form.name.trim() ? "" : (await client.fetchQuery(alertPreviewQuery(draft))).sentence;
      const { team: of, ...rest } = draft;
      const body = { ...rest, name: nameOf(form, sentence), actions: draft.actions ?? [] };
      if (alert) return data(api.PATCH("/api/v1/issues/alerts/{id}", { params: { path: { id: alert.id } }, body }));
      return data(api.POST("/api/v1/issues/alerts", { body: { ...body, team: of } }));
    },
    onDone: (saved) => {
      toast({ text: alert ? `${saved.name} is changed` : `${saved.name} holds from now on; try its test button` });
      void Promise.all([client.invalidateQueries({ queryKey: ["issues", "alerts", team] }), client.invalidateQueries({ queryKey: ["issues", "alert", saved.id] })]);
      onSaved(saved);
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const nobody = (draft.actions ?? []).length === 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!nobody && !refused) void save.start();
  };
  return (
    <div className="issues-privacy">
      <form className="pane issues-rules" onSubmit={submit} noValidate>
        {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
        {targets.channels.length === 0 && (
          <Notice kind="warn">
            There is nobody to tell yet.{" "}
            <Link className="link underline" to={`/teams/${encodeURIComponent(team)}/settings/channels`}>
              Make a channel
            </Link>{" "}
            for mail, Slack or a webhook first.
          </Notice>
        )}
        <SentenceFields form={form} onChange={setForm} projects={projects} targets={targets} problem={problem} />
        <div className="line">
          <Button kind="primary" size="form" type="submit" busy={save.busy} refused={refused || (nobody && "Say whom to tell.")}>
            {alert ? "Save" : "Create the alert"}
          </Button>
        </div>
      </form>
      <AlertPreview team={team} draft={settled} />
    </div>
  );
}
