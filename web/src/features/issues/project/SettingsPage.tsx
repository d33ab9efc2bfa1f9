import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, data, done } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Field, Input, Select, Textarea, Tick } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { useMemberRefusal } from "../acts";
import { issuesPath, settingsPath } from "../paths";
import { type Project, projectsQuery } from "../queries";
import { LimitFields } from "./LimitFields";
import { lines } from "./limits";
import { Held } from "./Held";
import { Part } from "./Part";
import { platforms } from "./platforms";
import { ProjectHeader } from "./ProjectHeader";
import { useProject } from "./useProject";

/** What is taken, what is kept, and the end of it all. */
export function SettingsPage() {
  const { team, project } = useProject();
  return (
    <>
      <ProjectHeader team={team} project={project} page="Settings" />
      <Settings key={project.id} team={team} project={project} />
      <Deletion team={team} project={project} />
    </>
  );
}

const megabyte = 1_000_000;

function formOf({ name, slug, platform, origins, filters, limits, retention, repository }: Project) {
  const text = (list: string[]) => list.join("\n");
  return {
    name,
    slug,
    platform,
    repository,
    origins: text(origins),
    localhost: filters.localhost,
    legacy: filters.legacy_browsers,
    releases: text(filters.releases),
    errors: text(filters.errors),
    addresses: text(filters.addresses),
    limits,
    days: String(retention.days || ""),
    events: String(retention.events || ""),
    megabytes: String(retention.bytes ? Math.round(retention.bytes / megabyte) : ""),
  };
}

type Form = ReturnType<typeof formOf>;

const bodyOf = (form: Form) => ({
  name: form.name.trim(),
  slug: form.slug.trim(),
  platform: form.platform,
  repository: form.repository.trim(),
  origins: lines(form.origins),
  filters: { localhost: form.localhost, legacy_browsers: form.legacy, releases: lines(form.releases), errors: lines(form.errors), addresses: lines(form.addresses) },
  limits: form.limits,
  retention: { days: Number(form.days), events: Number(form.events), bytes: Math.round(Number(form.megabytes) * megabyte) },
});

function Settings({ team, project }: { team: string; project: Project }) {
  const [form, setForm] = useState(() => formOf(project));
  const refused = useMemberRefusal(team);
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const save = useTask({
    run: () => data(api.PATCH("/api/v1/issues/projects/{id}", { params: { path: { id: project.id } }, body: bodyOf(form) })),
    onDone: async (saved) => {
      toast({ text: `${saved.name} is saved` });
      if (saved.slug !== project.slug) {
        const known = await client.fetchQuery({ ...projectsQuery(team), staleTime: 0 });
        if (known.items.some(({ slug }) => slug === saved.slug)) await navigate({ to: settingsPath(team, saved.slug), replace: true });
      } else await client.invalidateQueries({ queryKey: projectsQuery(team).queryKey });
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void save.start();
  };
  const input = (key: "name" | "slug" | "repository" | "days" | "events" | "megabytes" | "origins" | "releases" | "errors" | "addresses") => ({
    value: form[key],
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [key]: event.target.value }),
  });
  const said = (name: string) => problem?.field(name);
  return (
    <form className="pane issues-settings" onSubmit={submit} noValidate>
      {problem && <Notice kind="bad">{problem.message}</Notice>}
      <Part title="Project">
        <Field label="Name" error={said("name")}>
          <Input {...input("name")} autoComplete="off" />
        </Field>
        <Field label="Short name" hint="In addresses and before the numbers of issues" error={said("slug")}>
          <Input {...input("slug")} mono autoComplete="off" />
        </Field>
        <Field label="Platform" error={said("platform")}>
          <Select value={form.platform} options={platforms.some(({ value }) => value === form.platform) ? platforms : [{ value: form.platform, label: form.platform || "not said" }, ...platforms]} onValue={(platform) => setForm({ ...form, platform })} />
        </Field>
        <Field label="Repository" hint="owner/name: each successful build of it makes a release with its commits" error={said("repository")}>
          <Input {...input("repository")} mono autoComplete="off" spellCheck={false} placeholder="acme/shop" />
        </Field>
      </Part>
      <Part title="Who may send" meta="Each on a line of its own.">
        <Field label="Origins of web pages" hint="*.example.com and https://shop.example.com; nothing means any" error={said("origins")}>
          <Textarea {...input("origins")} mono rows={3} spellCheck={false} />
        </Field>
        <LimitFields limits={form.limits} onChange={(limits) => setForm({ ...form, limits })} />
      </Part>
      <Part title="What is filtered" meta="Filtered events are counted, not kept.">
        <Tick checked={form.localhost} onChange={(event) => setForm({ ...form, localhost: event.target.checked })}>
          Events of localhost
        </Tick>
        <Tick checked={form.legacy} onChange={(event) => setForm({ ...form, legacy: event.target.checked })}>
          Browsers that are no longer made
        </Tick>
        <Field label="Releases" hint="* stands for anything" error={said("filters.releases")}>
          <Textarea {...input("releases")} mono rows={2} spellCheck={false} />
        </Field>
        <Field label="Error messages" hint="*ResizeObserver*" error={said("filters.errors")}>
          <Textarea {...input("errors")} mono rows={2} spellCheck={false} />
        </Field>
        <Field label="Addresses" hint="10.0.0.0/8 or a single one" error={said("filters.addresses")}>
          <Textarea {...input("addresses")} mono rows={2} spellCheck={false} />
        </Field>
      </Part>
      <Part title="What is kept" meta="The oldest events go first. Nothing entered means what this server keeps usually.">
        <Held project={project} />
        <Field label="Days" error={said("retention.days")}>
          <Input {...input("days")} type="number" min={0} placeholder="usual" />
        </Field>
        <Field label="Events" error={said("retention.events")}>
          <Input {...input("events")} type="number" min={0} placeholder="usual" />
        </Field>
        <Field label="Megabytes" error={said("retention.bytes")}>
          <Input {...input("megabytes")} type="number" min={0} placeholder="usual" />
        </Field>
      </Part>
      <div className="line">
        <Button kind="primary" size="form" type="submit" busy={save.busy} refused={refused}>
          Save
        </Button>
      </div>
    </form>
  );
}

function Deletion({ team, project }: { team: string; project: Project }) {
  const [asking, setAsking] = useState(false);
  const refused = useMemberRefusal(team);
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const remove = useTask({
    run: () => done(api.DELETE("/api/v1/issues/projects/{id}", { params: { path: { id: project.id } } })),
    failed: "The project is still there.",
    onDone: async () => {
      toast({ text: `${project.name} is deleted` });
      await navigate({ to: issuesPath(team) });
      await client.invalidateQueries({ queryKey: ["issues"] });
    },
  });
  return (
    <div className="pane pt-0 issues-settings">
      <Part title="Delete" meta="Cannot be undone.">
        <span>
          <Button kind="danger" refused={refused} onClick={() => setAsking(true)}>
            Delete {project.slug}
          </Button>
        </span>
      </Part>
      <Confirm open={asking} onClose={() => setAsking(false)} onConfirm={() => void remove.start()} busy={remove.busy} typed={project.slug} title={`Delete ${project.name}?`} act="Delete the project">
        Its issues, events, attachments and keys go with it. Programs that report to it are refused from then on.
      </Confirm>
    </div>
  );
}
