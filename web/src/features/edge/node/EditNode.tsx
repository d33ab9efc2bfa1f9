import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { labelsOf, labelsText } from "../enrolment/commands";
import type { Node } from "../queries";
import { nodeQuery } from "./queries";

/** Its name, where it stands, and its labels, by which policies choose. */
export function EditNode({ node, onClose }: { node: Node; onClose: () => void }) {
  const [form, setForm] = useState({ name: node.name, site: node.site, labels: labelsText(node.labels) });
  const { labels, wrong } = labelsOf(form.labels);
  const client = useQueryClient();
  const save = useTask({
    run: () => data(api.PATCH("/api/v1/edge/nodes/{id}", { params: { path: { id: node.id } }, body: { name: form.name, site: form.site, labels } })),
    onDone: (saved) => {
      client.setQueryData(nodeQuery(node.id).queryKey, saved);
      onClose();
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!wrong) void save.start();
  };
  return (
    <Dialog open onClose={onClose} title={`Edit ${node.name}`} onSubmit={submit}>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Name" error={problem?.field("name")}>
        <Input value={form.name} onChange={({ target }) => setForm({ ...form, name: target.value })} />
      </Field>
      <Field label="Site" error={problem?.field("site")}>
        <Input value={form.site} onChange={({ target }) => setForm({ ...form, site: target.value })} />
      </Field>
      <Field label="Labels" hint="role=edge-node region=us-east" error={wrong ? `${wrong} is no name=value` : problem?.field("labels")}>
        <Input value={form.labels} onChange={({ target }) => setForm({ ...form, labels: target.value })} spellCheck={false} />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={save.busy}>
          Save
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}
