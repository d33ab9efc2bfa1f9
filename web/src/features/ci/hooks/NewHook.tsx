import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Select } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { type Connection, type HookSecret, hooksQuery } from "../queries";
import { SecretShown } from "./SecretShown";

type Props = { open: boolean; onClose: () => void; team: string; connections: Connection[] };

/** Makes an address with a secret, then shows both. */
export function NewHook({ open, onClose, team, connections }: Props) {
  const [made, setMade] = useState<HookSecret | null>(null);
  const close = () => {
    setMade(null);
    onClose();
  };
  if (made) return <SecretShown hook={made} onClose={close} />;
  return (
    <Dialog open={open} onClose={close} title={`New webhook for ${team}`} description="One is enough for many repositories: an organisation's webhook covers all of its repositories.">
      {open && <HookForm team={team} connections={connections} onMade={setMade} onClose={close} />}
    </Dialog>
  );
}

type FormProps = { team: string; connections: Connection[]; onMade: (hook: HookSecret) => void; onClose: () => void };

function HookForm({ team, connections, onMade, onClose }: FormProps) {
  const [name, setName] = useState("");
  const [connection, setConnection] = useState("");
  const client = useQueryClient();
  const task = useTask({
    run: () => data(api.POST("/api/v1/ci/hooks", { body: { team, name: name.trim(), connection: connection || undefined } })),
    onDone: (made) => {
      onMade(made);
      void client.invalidateQueries({ queryKey: hooksQuery(team).queryKey });
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) void task.start();
  };
  const options = [{ value: "", label: "none: no commit statuses" }, ...connections.map((one) => ({ value: one.id, label: one.name }))];
  return (
    <form className="grid gap-3" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Name" hint="Who posts to it, such as the organisation" error={problem?.field("name")}>
        <Input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" autoFocus />
      </Field>
      <Field label="Connection" hint="What this server uses to answer GitHub" error={problem?.field("connection")}>
        <Select value={connection} options={options} onValue={setConnection} />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} disabled={!name.trim()}>
          Create
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}
