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
import { PasswordShown } from "./PasswordShown";

type Made = { name: string; password?: string };

/** A new account; its first password is shown once. */
export function NewUser({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [made, setMade] = useState<Made | null>(null);
  const toast = useToast();
  const close = () => {
    setMade(null);
    onClose();
  };
  const finish = (result: Made) => {
    if (result.password) setMade(result);
    else {
      toast({ text: `${result.name} can sign in` });
      close();
    }
  };
  if (made?.password) return <PasswordShown name={made.name} password={made.password} onClose={close} />;
  return (
    <Dialog open={open} onClose={close} title="New user" description="They choose their own password when they first sign in.">
      {open && <UserForm onMade={finish} onClose={close} />}
    </Dialog>
  );
}

function UserForm({ onMade, onClose }: { onMade: (made: Made) => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [admin, setAdmin] = useState(false);
  const client = useQueryClient();
  const task = useTask({
    run: () => data(api.POST("/api/v1/accounts/users", { body: { name: name.trim(), password: password || undefined, is_admin: admin } })),
    onDone: (made) => {
      void client.invalidateQueries({ queryKey: ["accounts", "users"] });
      onMade({ name: name.trim(), password: made.password });
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) void task.start();
  };
  return (
    <form className="grid gap-3" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Name" hint="Small letters, digits, dashes" error={problem?.field("name")}>
        <Input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" autoCapitalize="none" spellCheck={false} autoFocus />
      </Field>
      <Field label="First password" hint="Empty: one is made and shown once" error={problem?.field("password")}>
        <Input type="password" value={password} onChange={(event) => setPassword(event.target.value)} autoComplete="new-password" />
      </Field>
      <Tick checked={admin} onChange={(event) => setAdmin(event.target.checked)}>
        Administrator <span className="meta">sees and changes everything on this server</span>
      </Tick>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} disabled={!name.trim()}>
          Create
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}
