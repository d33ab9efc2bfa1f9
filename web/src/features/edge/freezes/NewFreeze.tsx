import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Tick } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { fieldTime } from "./months";
import { freezesQuery } from "./queries";

const severities = ["critical", "high", "medium", "low"] as const;

/** Asks from when to when nothing is installed, and why. */
export function NewFreeze({ team, from, to, onClose }: { team: string; from: Date; to: Date; onClose: () => void }) {
  const [form, setForm] = useState({ from: fieldTime(from), to: fieldTime(to), reason: "" });
  const [allow, setAllow] = useState<string[]>([]);
  const client = useQueryClient();
  const toast = useToast();
  const make = useTask({
    run: () => data(api.POST("/api/v1/edge/freezes", { body: { team, from: instant(form.from), to: instant(form.to), reason: form.reason.trim(), allow } })),
    onDone: () => {
      toast({ text: "Nothing is installed in that time" });
      void client.invalidateQueries({ queryKey: freezesQuery(team).queryKey });
      onClose();
    },
  });
  const problem = make.error ? asProblem(make.error) : undefined;
  const missing = (!form.from || !form.to) && "Say from when to when.";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!missing) void make.start();
  };
  const set = (key: keyof typeof form) => ({ value: form[key], onChange: ({ target }: { target: { value: string } }) => setForm({ ...form, [key]: target.value }) });
  return (
    <Dialog open onClose={onClose} title="Freeze" description="Nodes of the team install nothing in that time, whatever their policies say. What they fetch beforehand goes on." onSubmit={submit}>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="From" error={problem?.field("from")}>
        <Input type="datetime-local" {...set("from")} />
      </Field>
      <Field label="Until" hint="On your clock." error={problem?.field("to")}>
        <Input type="datetime-local" {...set("to")} />
      </Field>
      <Field label="Why" hint="Shown wherever a rollout waits for it." error={problem?.field("reason")}>
        <Input {...set("reason")} autoFocus />
      </Field>
      <fieldset className="grid gap-1">
        <legend className="meta mb-2">Let through all the same what mends something</legend>
        <div className="line flex-wrap">
          {severities.map((severity) => (
            <Tick key={severity} checked={allow.includes(severity)} onChange={({ target }) => setAllow(target.checked ? [...allow, severity] : allow.filter((one) => one !== severity))}>
              {severity}
            </Tick>
          ))}
        </div>
      </fieldset>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={make.busy} refused={missing}>
          Freeze
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}

const instant = (local: string) => new Date(local).toISOString();
