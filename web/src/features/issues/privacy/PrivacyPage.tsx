import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { type FormEvent, useDeferredValue, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Field, Textarea, Tick } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { useMemberRefusal } from "../acts";
import { lines } from "../project/limits";
import { Part } from "../project/Part";
import { ProjectHeader } from "../project/ProjectHeader";
import { useProject } from "../project/useProject";
import type { Project } from "../queries";
import { meant } from "./change";
import { Erase } from "./Erase";
import { Preview } from "./Preview";
import { type Scrubbing, scrubbingQuery } from "./queries";
import { RuleFields } from "./RuleFields";
import { privacySearch } from "./search";
import { useSettled } from "./useSettled";

/** What is taken out of events before they are kept, and how a person is forgotten. */
export function PrivacyPage() {
  const { team, project } = useProject();
  const rules = useSuspenseQuery(scrubbingQuery(project.id)).data;
  return (
    <>
      <ProjectHeader team={team} project={project} page="Privacy" />
      <Scrub key={`${project.id}${JSON.stringify(rules)}`} team={team} project={project} known={rules} />
      <div className="pane issues-settings">
        <Part title="Erase a user" meta="Everything kept of one person in this project. Goes on in the background, also over a restart.">
          <Erase team={team} project={project} />
        </Part>
      </div>
    </>
  );
}

const addresses: { value: Scrubbing["ip"]; label: string }[] = [
  { value: "keep", label: "are kept as they come" },
  { value: "truncate", label: "lose their last part: 203.0.113.0" },
  { value: "hash", label: "become hashes: users can be told apart, not named" },
  { value: "remove", label: "are not kept" },
];

function Scrub({ team, project, known }: { team: string; project: Project; known: Scrubbing }) {
  const [form, setForm] = useState(known);
  const [safe, setSafe] = useState(known.safe.join("\n"));
  const [{ event }, setSearch] = useUrlState(privacySearch);
  const refused = useMemberRefusal(team);
  const client = useQueryClient();
  const toast = useToast();
  const wanted = meant({ ...form, safe: lines(safe) });
  const settled = useSettled(JSON.stringify(wanted), 300);
  const shown = useDeferredValue(settled);
  const dirty = JSON.stringify(wanted) !== JSON.stringify(known);
  const save = useTask({
    run: () => data(api.PUT("/api/v1/issues/projects/{id}/scrubbing", { params: { path: { id: project.id } }, body: wanted })),
    onDone: (saved) => {
      client.setQueryData(scrubbingQuery(project.id).queryKey, saved);
      toast({ text: "The rules hold for what comes from now on" });
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault();
    void save.start();
  };
  return (
    <div className="issues-privacy">
      <form className="pane issues-rules" onSubmit={submit} noValidate>
        {problem && <Notice kind="bad">{problem.message}</Notice>}
        <section aria-label="Built-in rules">
          <h2>Usually</h2>
          <Tick checked={form.defaults} onChange={(changed) => setForm({ ...form, defaults: changed.target.checked })}>
            Passwords, tokens, cookies, card numbers and private keys are taken out
          </Tick>
        </section>
        <section aria-label="Rules of this project">
          <h2>In this project also</h2>
          <RuleFields rules={form.rules} onChange={(rules) => setForm({ ...form, rules })} />
        </section>
        <section aria-label="Addresses of users">
          <h2>Addresses of users</h2>
          <div className="grid gap-1" role="radiogroup" aria-label="Addresses of users">
            {addresses.map(({ value, label }) => (
              <Tick key={value} kind="radio" name="ip" checked={form.ip === value} onChange={() => setForm({ ...form, ip: value })}>
                {label}
              </Tick>
            ))}
          </div>
        </section>
        <section aria-label="What no rule touches">
          <Field label="No rule touches" hint="Names or paths, each on a line of its own: token_count, extra.public">
            <Textarea mono rows={2} value={safe} onChange={(changed) => setSafe(changed.target.value)} spellCheck={false} />
          </Field>
        </section>
        <div className="line">
          <Button kind="primary" size="form" type="submit" busy={save.busy} refused={refused || (!dirty && "Nothing is changed.")}>
            Save
          </Button>
          <span className="meta">{dirty ? "not saved yet; the preview shows it" : "holds for events that come from now on"}</span>
        </div>
      </form>
      <Preview team={team} project={project} rules={JSON.parse(shown) as Scrubbing} event={event} onEvent={(next) => setSearch({ event: next })} />
    </div>
  );
}
