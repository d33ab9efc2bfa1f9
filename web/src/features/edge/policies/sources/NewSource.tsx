import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Select, Tick } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";

const fresh = { repository: "", branch: "main", folder: "policies", starts: false, on_revert: "stop" };

/** Names a folder whose files are policies from now on. */
export function NewSource({ team, onClose }: { team: string; onClose: () => void }) {
  const [form, setForm] = useState(fresh);
  const client = useQueryClient();
  const add = useTask({
    run: () => data(api.POST("/api/v1/edge/policy-sources", { body: { team, ...form } })),
    onDone: () => {
      void client.invalidateQueries({ queryKey: ["edge", "policies", team] });
      onClose();
    },
  });
  const problem = add.error ? asProblem(add.error) : undefined;
  const missing = form.repository.trim() === "" && "Give the address of a repository.";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!missing) void add.start();
  };
  const set = (key: "repository" | "branch" | "folder") => ({ value: form[key], onChange: ({ target }: { target: { value: string } }) => setForm({ ...form, [key]: target.value }), spellCheck: false });
  return (
    <Dialog open onClose={onClose} title="Read policies from a repository" onSubmit={submit}>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Repository" error={problem?.field("repository")}>
        <Input {...set("repository")} placeholder="https://github.com/acme/fleet" autoFocus />
      </Field>
      <Field label="Branch" error={problem?.field("branch")}>
        <Input {...set("branch")} />
      </Field>
      <Field label="Folder" hint="Each .yaml file in it is a policy." error={problem?.field("folder")}>
        <Input {...set("folder")} />
      </Field>
      <Tick checked={form.starts} onChange={({ target }) => setForm({ ...form, starts: target.checked })}>
        Roll out what changes
        <span className="meta block">as soon as the bundle that it names is published; approvals are still asked for</span>
      </Tick>
      <Field label="When a change is reverted" error={problem?.field("on_revert")}>
        <Select
          value={form.on_revert}
          onValue={(value) => setForm({ ...form, on_revert: value })}
          options={[
            { value: "stop", label: "stop its rollout" },
            { value: "rollback", label: "roll it back" },
          ]}
        />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={add.busy} refused={missing}>
          Read it
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}
