import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { proposalsQuery, type Service, servicesQuery } from "./queries";

const fields = [
  { key: "description", label: "What it is" },
  { key: "repository", label: "Repository", hint: "owner/name" },
  { key: "pipeline", label: "Pipeline" },
  { key: "job", label: "Job", hint: "Empty for all jobs of the pipeline." },
  { key: "project", label: "Error project" },
  { key: "log_filter", label: "Log lines", hint: "A search, such as service:shop" },
  { key: "package", label: "Package on nodes" },
] as const;

type Key = (typeof fields)[number]["key"];

/** Describes a service anew, confirms a proposed one, or changes one that is there. */
export function EditService({ team, service, onClose }: { team: string; service: Partial<Service>; onClose: () => void }) {
  const [name, setName] = useState(service.name ?? "");
  const [owners, setOwners] = useState((service.owners ?? []).join(", "));
  const [ties, setTies] = useState(() => Object.fromEntries(fields.map(({ key }) => [key, service[key] ?? ""])) as Record<Key, string>);
  const client = useQueryClient();
  const named = Boolean(service.updated_at);
  const save = useTask({
    run: () => data(api.PUT("/api/v1/accounts/teams/{team}/services/{service}", { params: { path: { team, service: name.trim() } }, body: { ...ties, owners: owners.split(",").map((one) => one.trim()).filter(Boolean) } })),
    onDone: () => {
      void client.invalidateQueries({ queryKey: servicesQuery(team).queryKey });
      void client.invalidateQueries({ queryKey: proposalsQuery(team).queryKey });
      onClose();
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) void save.start();
  };
  return (
    <Dialog open onClose={onClose} title={named ? `Change ${name}` : "Describe a service"} description="Every tie may stay empty but one. A page then shows all that happens to it." onSubmit={submit}>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      {!named && (
        <Field label="Name" error={problem?.field("name")}>
          <Input value={name} onChange={({ target }) => setName(target.value)} autoFocus autoCapitalize="none" spellCheck={false} />
        </Field>
      )}
      {fields.map(({ key, label, ...rest }) => (
        <Field key={key} label={label} hint={"hint" in rest ? rest.hint : undefined} error={problem?.field(key)}>
          <Input value={ties[key]} onChange={({ target }) => setTies({ ...ties, [key]: target.value })} spellCheck={false} />
        </Field>
      ))}
      <Field label="Owners" hint="Names, with commas between them." error={problem?.field("owners")}>
        <Input value={owners} onChange={({ target }) => setOwners(target.value)} />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={save.busy} disabled={!name.trim()}>
          Save
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}
