import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { connectionsQuery } from "../queries";

type Props = { open: boolean; onClose: () => void; team: string };

/** How this server signs in at GitHub, or at a GitHub of one's own. */
export function NewConnection({ open, onClose, team }: Props) {
  return (
    <Dialog open={open} onClose={onClose} title="Connect to GitHub" description="With a token this server reports the outcome of builds at commits and reads private repositories.">
      {open && <ConnectionForm team={team} onClose={onClose} />}
    </Dialog>
  );
}

function ConnectionForm({ team, onClose }: { team: string; onClose: () => void }) {
  const [form, setForm] = useState({ name: "github.com", api_url: "https://api.github.com", token: "" });
  const client = useQueryClient();
  const toast = useToast();
  const task = useTask({
    run: () => data(api.POST("/api/v1/ci/connections", { body: { team, ...form } })),
    onDone: (made) => {
      toast({ text: `${made.name} is connected` });
      void client.invalidateQueries({ queryKey: connectionsQuery(team).queryKey });
      onClose();
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const ready = form.name.trim() && form.api_url.trim() && form.token.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) void task.start();
  };
  const input = (key: keyof typeof form) => ({ value: form[key], onChange: (event: { target: { value: string } }) => setForm({ ...form, [key]: event.target.value }) });
  return (
    <form className="grid gap-3" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Name" error={problem?.field("name")}>
        <Input {...input("name")} autoComplete="off" />
      </Field>
      <Field label="API address" hint="A GitHub of your own: https://github.example.com/api/v3" error={problem?.field("api_url")}>
        <Input {...input("api_url")} mono type="url" autoComplete="off" spellCheck={false} />
      </Field>
      <Field label="Token" hint="It needs the right to set commit statuses. It is stored encrypted and never shown." error={problem?.field("token")}>
        <Input {...input("token")} mono type="password" autoComplete="off" autoFocus />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} disabled={!ready}>
          Connect
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}
