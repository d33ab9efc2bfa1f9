import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Select } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import type { Channel } from "../channels/queries";
import { listed } from "../channels/words";
import { type Rule, rulesQuery } from "./queries";
import { occasionOf, occasions, when } from "./words";

type Props = { editing: { rule?: Rule } | null; team: string; channels: Channel[]; onClose: () => void };

/** A rule, put together as a sentence. */
export function RuleForm({ editing, ...rest }: Props) {
  return (
    <Dialog open={editing !== null} onClose={rest.onClose} title={editing?.rule ? `Change ${editing.rule.name}` : `New rule for ${rest.team}`}>
      {editing && <Fields rule={editing.rule} {...rest} />}
    </Dialog>
  );
}

type Form = { name: string; occasion: string; events: string; actions: string; repository: string; branch: string; channel: string };

function begin(rule: Rule | undefined, channels: Channel[]): Form {
  const known = rule ? occasionOf(rule) : occasions[0];
  return {
    name: rule?.name ?? "",
    occasion: known?.key ?? "",
    events: rule?.events.join(", ") ?? "",
    actions: rule?.actions.join(", ") ?? "",
    repository: rule?.repository ?? "",
    branch: rule?.branch ?? "",
    channel: rule?.channel ?? channels[0]?.id ?? "",
  };
}

function meant({ occasion, events, actions, repository, branch }: Form) {
  const usual = occasions.find(({ key }) => key === occasion);
  return { events: usual?.events ?? listed(events), actions: usual?.actions ?? listed(actions), repository: repository.trim(), branch: branch.trim() };
}

function Fields({ rule, team, channels, onClose }: Omit<Props, "editing"> & { rule?: Rule }) {
  const [form, setForm] = useState(() => begin(rule, channels));
  const set = (change: Partial<Form>) => setForm((before) => ({ ...before, ...change }));
  const client = useQueryClient();
  const toast = useToast();
  const sense = meant(form);
  const channel = channels.find(({ id }) => id === form.channel);
  const sentence = `${when(sense)} → ${channel?.name ?? "…"}`;
  const task = useTask({
    run: () => {
      const body = { ...sense, channel: form.channel, name: form.name.trim() || sentence.slice(0, 60) };
      if (rule) return data(api.PATCH("/api/v1/ci/rules/{id}", { params: { path: { id: rule.id } }, body }));
      return data(api.POST("/api/v1/ci/rules", { body: { ...body, team, enabled: true } }));
    },
    onDone: (made) => {
      void client.invalidateQueries({ queryKey: rulesQuery(team).queryKey });
      toast({ text: rule ? `${made.name} is changed` : `${made.name} is followed from now on; try its test button` });
      onClose();
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const ready = sense.events.length > 0 && form.channel !== "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) void task.start();
  };
  const typed = (key: keyof Form) => ({ value: form[key], onChange: (event: { target: { value: string } }) => set({ [key]: event.target.value }), autoComplete: "off", autoCapitalize: "none", spellCheck: false });
  return (
    <form className="grid gap-3" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="When" error={problem?.field("events")}>
        <Select value={form.occasion} options={[...occasions.map(({ key, word }) => ({ value: key, label: word })), { value: "", label: "by GitHub's own words…" }]} onValue={(occasion) => set({ occasion })} autoFocus />
      </Field>
      {form.occasion === "" && (
        <>
          <Field label="Events" hint="As GitHub calls them, separated by commas: deployment, workflow_run">
            <Input mono {...typed("events")} />
          </Field>
          <Field label="Actions" hint="Empty: every action of these events" error={problem?.field("actions")}>
            <Input mono {...typed("actions")} />
          </Field>
        </>
      )}
      <Field label="In" hint="A repository, or a pattern such as acme/*. Empty: any" error={problem?.field("repository")}>
        <Input mono placeholder="acme/*" {...typed("repository")} />
      </Field>
      <Field label="On" hint="A branch, or a pattern such as release*. Empty: any" error={problem?.field("branch")}>
        <Input mono placeholder="main" {...typed("branch")} />
      </Field>
      <Field label="Tell" error={problem?.field("channel")}>
        <Select value={form.channel} options={channels.map(({ id, name }) => ({ value: id, label: name }))} onValue={(id) => set({ channel: id })} />
      </Field>
      <Field label="Name" hint="Empty: the sentence" error={problem?.field("name")}>
        <Input value={form.name} onChange={(event) => set({ name: event.target.value })} autoComplete="off" />
      </Field>
      <p className="strong [overflow-wrap:anywhere]" role="status">{sentence}</p>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} disabled={!ready}>
          {rule ? "Save" : "Create"}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}
