import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Textarea, Tick } from "@/ui/Field";
import { useSession } from "@/api/session";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Segmented } from "@/ui/Segmented";
import { Notice } from "@/ui/states";
import type { Editing } from "./ChannelsPage";
import type { ChannelEvent, ChannelKind, ChannelSecret, Manner } from "./queries";
import { MannerFields, plainManner, suggestedManner } from "./MannerFields";
import { adminEvents, events, kinds, listed } from "./words";

type Props = { editing: Editing | null; team: string; onClose: () => void; onSecret: (made: ChannelSecret) => void };

/** A new channel, or another address, events and pipelines for one that exists. */
export function ChannelForm({ editing, ...rest }: Props) {
  return (
    <Dialog open={editing !== null} onClose={rest.onClose} title={editing?.channel ? `Change ${editing.channel.name}` : `New channel for ${rest.team}`} className="wide">
      {editing && <Fields editing={editing} {...rest} />}
    </Dialog>
  );
}

type Form = { kind: ChannelKind; name: string; to: string; secret: string; events: ChannelEvent[]; pipelines: string; manner: Manner };

function Fields({ editing: { kind, channel }, team, onClose, onSecret }: Props & { editing: Editing }) {
  const [form, setForm] = useState<Form>({
    kind,
    name: channel?.name ?? "",
    to: channel?.kind === "mail" || channel?.kind === "github" ? channel.summary : "",
    secret: "",
    events: channel?.events ?? ["build.failed", "build.errored", "build.fixed"],
    pipelines: channel?.pipelines.join(", ") ?? "",
    manner: channel?.manner ?? suggestedManner,
  });
  const set = (change: Partial<Form>) => setForm((before) => ({ ...before, ...change }));
  const client = useQueryClient();
  const toast = useToast();
  const task = useTask({
    run: async (): Promise<ChannelSecret> => {
      const body = { name: form.name.trim(), events: form.events, pipelines: listed(form.pipelines), manner: plainManner(form.manner), ...target(form, channel !== undefined) };
      if (channel) return data(api.PATCH("/api/v1/ci/channels/{id}", { params: { path: { id: channel.id } }, body }));
      return data(api.POST("/api/v1/ci/channels", { body: { ...body, team, kind: form.kind } }));
    },
    onDone: (made) => {
      void client.invalidateQueries({ queryKey: ["notifications"] });
      toast({ text: channel ? `${made.name} is changed` : `${made.name} is told from now on; try its test button` });
      onClose();
      if (made.secret) onSecret(made);
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const ready = form.name.trim() && (form.to.trim() || (channel && channel.kind !== "mail" && channel.kind !== "github"));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) void task.start();
  };
  return (
    <form className="grid gap-3" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      {!channel && <Segmented label="Way" value={form.kind} options={kinds.map((one) => ({ value: one.kind, label: one.word }))} onChange={(next) => set({ kind: next, to: "" })} />}
      <Field label="Name" hint={kinds.find((one) => one.kind === form.kind)?.means} error={problem?.field("name")}>
        <Input value={form.name} onChange={(event) => set({ name: event.target.value })} autoComplete="off" autoFocus placeholder={form.kind === "slack" ? "#builds" : form.kind === "mail" ? "The developers" : "Pager"} />
      </Field>
      <Target form={form} set={set} exists={channel !== undefined} problem={problem} />
      <Events chosen={form.events} onChange={(chosen) => set({ events: chosen })} problem={problem?.field("events")} />
      <Field label="Pipelines" hint="Names, separated by commas. Empty: all of the team" error={problem?.field("pipelines")}>
        <Input value={form.pipelines} onChange={(event) => set({ pipelines: event.target.value })} autoComplete="off" spellCheck={false} />
      </Field>
      <MannerFields manner={form.manner} events={form.events} onChange={(manner) => set({ manner })} problem={problem} />
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} disabled={!ready}>
          {channel ? "Save" : "Create"}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}

function Events({ chosen, onChange, problem }: { chosen: ChannelEvent[]; onChange: (chosen: ChannelEvent[]) => void; problem?: string }) {
  const admin = useSession().user.is_admin;
  const offered = [...events, ...adminEvents.filter(({ event }) => admin || chosen.includes(event))];
  return (
    <fieldset className="field">
      <legend className="label strong">Tell when</legend>
      <div className="grid gap-2 pt-1">
        {offered.map(({ event, word, means }) => (
          <Tick key={event} checked={chosen.includes(event)} onChange={({ target: { checked } }) => onChange(offered.map((one) => one.event).filter((one) => (one === event ? checked : chosen.includes(one))))}>
            {word} <span className="muted">{means}</span>
          </Tick>
        ))}
      </div>
      {problem ? <p className="hint bad">{problem}</p> : chosen.length === 0 && <p className="hint">Nothing by itself: only alerts and rules that name this channel reach it.</p>}
    </fieldset>
  );
}

type TargetProps = { form: Form; set: (change: Partial<Form>) => void; exists: boolean; problem?: { field: (name: string) => string | undefined } };

function Target({ form, set, exists, problem }: TargetProps) {
  if (form.kind === "mail") {
    return (
      <Field label="Recipients" hint="One address a line, or separated by commas" error={problem?.field("recipients")}>
        <Textarea rows={2} value={form.to} onChange={(event) => set({ to: event.target.value })} autoComplete="off" spellCheck={false} />
      </Field>
    );
  }
  if (form.kind === "github") {
    return (
      <Field label="Repository" hint="Owner and name. The first message about something opens an issue, later ones are comments on it" error={problem?.field("repository")}>
        <Input mono value={form.to} onChange={(event) => set({ to: event.target.value })} autoComplete="off" spellCheck={false} placeholder="octo/shop" />
      </Field>
    );
  }
  const kept = exists ? "Empty: it stays as it is. " : "";
  return (
    <>
      <Field label="Address" hint={form.kind === "slack" ? `${kept}The incoming webhook that Slack gave you; it is stored encrypted` : `${kept}Where the document is posted; it is stored encrypted`} error={problem?.field("url")}>
        <Input mono type="url" value={form.to} onChange={(event) => set({ to: event.target.value })} autoComplete="off" spellCheck={false} placeholder={form.kind === "slack" ? "https://hooks.slack.com/services/…" : "https://"} />
      </Field>
      {form.kind === "webhook" && (
        <Field label="Secret" hint={exists ? "Empty: it stays as it is" : "Empty: one is made, and shown once"} error={problem?.field("secret")}>
          <Input mono type="password" value={form.secret} onChange={(event) => set({ secret: event.target.value })} autoComplete="new-password" />
        </Field>
      )}
    </>
  );
}

/** Where it leads, as the server wants it; what is left empty while changing stays as it is. */
function target({ kind, to, secret }: Form, exists: boolean) {
  if (kind === "mail") return { recipients: listed(to) };
  if (kind === "github") return { repository: to.trim() };
  return { ...(exists && !to.trim() ? {} : { url: to.trim() }), ...(secret ? { secret } : {}) };
}
