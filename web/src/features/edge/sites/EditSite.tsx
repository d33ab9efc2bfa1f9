import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, done } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { type Site, sitesQuery } from "../queries";
import { capWords, hoursWords } from "./state";

/** What a site is, how much its nodes fetch together, and when. */
export function EditSite({ team, site, onClose }: { team: string; site: Site | undefined; onClose: () => void }) {
  const [form, setForm] = useState({ name: site?.name ?? "", description: site?.description ?? "", kbps: site?.kbps ? String(site.kbps) : "", hours: site?.hours ?? "", timezone: site?.timezone ?? "" });
  const client = useQueryClient();
  const save = useTask({
    run: () => done(api.PUT("/api/v1/edge/sites/{name}", { params: { path: { name: form.name.trim() } }, body: { team, description: form.description, kbps: Number(form.kbps) || 0, hours: form.hours.trim(), timezone: form.timezone.trim() } })),
    onDone: () => {
      void client.invalidateQueries({ queryKey: sitesQuery(team).queryKey });
      onClose();
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const missing = form.name.trim() === "" && "Give it a name.";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!missing) void save.start();
  };
  const set = (key: keyof typeof form) => ({ value: form[key], onChange: ({ target }: { target: { value: string } }) => setForm({ ...form, [key]: target.value }) });
  return (
    <Dialog open onClose={onClose} title={site ? `Edit ${site.name}` : "New site"} onSubmit={submit}>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      {!site && (
        <Field label="Name" hint="Short, as tokens and policies name it: osl, ship-7." error={problem?.field("name")}>
          <Input {...set("name")} autoFocus spellCheck={false} />
        </Field>
      )}
      <Field label="Description" hint="Such as where it is, and over what link." error={problem?.field("description")}>
        <Input {...set("description")} autoFocus={Boolean(site)} />
      </Field>
      <Field label="Fetches at most, in kB a second" hint={capWords(Number(form.kbps) || 0)} error={problem?.field("kbps")}>
        <Input {...set("kbps")} type="number" min={0} placeholder="as the server says" />
      </Field>
      <Field label="Fetches only between" hint={hoursWords(form.hours, form.timezone)} error={problem?.field("hours")}>
        <Input {...set("hours")} placeholder="20:00-06:00" spellCheck={false} />
      </Field>
      <Field label="In the time zone" hint="UTC, or such as Europe/Oslo." error={problem?.field("timezone")}>
        <Input {...set("timezone")} placeholder="UTC" spellCheck={false} />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={save.busy} refused={missing}>
          Save
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}
