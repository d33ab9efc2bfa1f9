import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Select } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { setupPath } from "../paths";
import { projectsQuery } from "../queries";
import { platforms } from "./platforms";

type Props = { open: boolean; onClose: () => void; team: string };

/** Makes a project and goes to its set-up page. */
export function NewProject({ open, onClose, team }: Props) {
  return (
    <Dialog open={open} onClose={onClose} title="New error project" description="One for each program that reports errors: what is deployed together belongs together.">
      {open && <ProjectForm team={team} onClose={onClose} />}
    </Dialog>
  );
}

function ProjectForm({ team, onClose }: { team: string; onClose: () => void }) {
  const [name, setName] = useState("");
  const [platform, setPlatform] = useState("javascript");
  const client = useQueryClient();
  const navigate = useNavigate();
  const task = useTask({
    run: () => data(api.POST("/api/v1/issues/projects", { body: { team, name: name.trim(), platform } })),
    onDone: async (made) => {
      onClose();
      await client.invalidateQueries({ queryKey: projectsQuery(team).queryKey });
      await navigate({ to: setupPath(team, made.slug) });
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
      <Field label="Name" hint="What people call the program" error={problem?.field("name") ?? problem?.field("slug")}>
        <Input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" autoFocus />
      </Field>
      <Field label="Platform" hint="Chooses the snippet; it can be changed" error={problem?.field("platform")}>
        <Select value={platform} options={platforms} onValue={setPlatform} />
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
