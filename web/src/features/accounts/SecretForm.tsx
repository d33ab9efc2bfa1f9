import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Textarea } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import type { Secret } from "./queries";

type Props = { secret: Partial<Secret> | null; onClose: () => void; team: string };

/** A new secret, or a new value for one that exists. */
export function SecretForm({ secret, onClose, team }: Props) {
  return (
    <Dialog open={secret !== null} onClose={onClose} title={secret?.name ? `Rotate ${secret.name}` : "New secret"} description={secret?.name && "The next build gets the new value. Builds that run keep the old one; it is not kept here and cannot be brought back."}>
      {secret && <SecretFields secret={secret} onClose={onClose} team={team} />}
    </Dialog>
  );
}

function SecretFields({ secret, onClose, team }: { secret: Partial<Secret>; onClose: () => void; team: string }) {
  const [name, setName] = useState(secret.name ?? "");
  const [pipeline, setPipeline] = useState(secret.pipeline ?? "");
  const [value, setValue] = useState("");
  const exists = Boolean(secret.name);
  const client = useQueryClient();
  const toast = useToast();
  const task = useTask({
    run: () => api.PUT("/api/v1/ci/secrets", { body: { team, pipeline: pipeline || undefined, name, value } }),
    onDone: () => {
      onClose();
      toast({ text: exists ? `${name} is rotated; the next build uses the new value` : `Secret ${name} is saved; the next build uses it` });
      void client.invalidateQueries({ queryKey: ["ci", "secrets"] });
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name && value) void task.start();
  };
  return (
    <form className="grid gap-3" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Name" hint={`Pipelines write ((${name || "name"}))`} error={problem?.field("name")}>
        <Input mono value={name} onChange={(event) => setName(event.target.value)} disabled={exists} autoFocus={!exists} autoComplete="off" spellCheck={false} />
      </Field>
      <Field label="Pipeline" hint="Empty: every pipeline of the team" error={problem?.field("pipeline")}>
        <Input mono value={pipeline} onChange={(event) => setPipeline(event.target.value)} disabled={exists} autoComplete="off" spellCheck={false} />
      </Field>
      <Field label={exists ? "New value" : "Value"} hint="Text of any length; keys with several lines too" error={problem?.field("value")}>
        <Textarea mono value={value} onChange={(event) => setValue(event.target.value)} autoFocus={exists} autoComplete="off" spellCheck={false} />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} disabled={!name || !value}>
          {exists ? "Rotate" : "Save"}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}
