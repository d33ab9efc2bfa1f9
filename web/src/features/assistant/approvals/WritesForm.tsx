import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { Field, Input, Textarea, Tick } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { type Settings, settingsQuery } from "../queries";
import { budgetOf, type Limits, limitsOf } from "./limits";

/** What the assistant may change, where its answers may link to, and what may be used in a day; an owner's choice. */
export function WritesForm({ team, settings }: { team: string; settings: Settings }) {
  const [confirm, setConfirm] = useState(settings.writes === "confirm");
  const [fourEyes, setFourEyes] = useState(settings.four_eyes);
  const [hosts, setHosts] = useState(settings.link_hosts.join("\n"));
  const [person, setPerson] = useState(limitsOf(settings.budgets.person));
  const [channel, setChannel] = useState(limitsOf(settings.budgets.channel));
  const refused = refusal(useSession(), team, "owner");
  const client = useQueryClient();
  const toast = useToast();
  const save = useTask({
    run: () =>
      data(
        api.PUT("/api/v1/assistant/settings", {
          body: {
            team,
            repositories: settings.repositories,
            default_repository: settings.default_repository,
            writes: confirm ? "confirm" : "off",
            four_eyes: fourEyes,
            link_hosts: hosts.split(/[\s,]+/).filter(Boolean),
            budgets: { person: budgetOf(person), channel: budgetOf(channel) },
          },
        }),
      ),
    onDone: () => {
      void client.invalidateQueries({ queryKey: settingsQuery(team).queryKey });
      toast({ text: confirm ? "It may propose changes from now on" : "It changes nothing from now on" });
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!refused) void save.start();
  };
  return (
    <form onSubmit={submit} noValidate aria-label="Changes and limits">
      <div className="section-head">
        <h2>Changes and limits</h2>
      </div>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Tick checked={confirm} onChange={({ target }) => setConfirm(target.checked)}>
        It may propose changes, and a person approves each one; so do MCP clients
      </Tick>
      <Tick checked={fourEyes} disabled={!confirm} onChange={({ target }) => setFourEyes(target.checked)}>
        What loses something is approved by somebody else than who asked for it
      </Tick>
      <Field label="Answers may link to" hint="Host names, one a line. GitHub and this server always; any other address is shown as plain text." error={problem?.field("link_hosts")}>
        <Textarea mono rows={2} value={hosts} placeholder="docs.example.com" onChange={({ target }) => setHosts(target.value)} />
      </Field>
      <LimitFields label="Each person" limits={person} onChange={setPerson} />
      <LimitFields label="Each channel" limits={channel} onChange={setChannel} />
      <Button kind="primary" size="form" type="submit" busy={save.busy} refused={refused}>
        Save
      </Button>
    </form>
  );
}

function LimitFields({ label, limits, onChange }: { label: string; limits: Limits; onChange: (limits: Limits) => void }) {
  const field = (key: keyof Limits, name: string) => (
    <Field label={`${label}: ${name} a day`}>
      <Input inputMode="decimal" value={limits[key]} placeholder="no limit" onChange={({ target }) => onChange({ ...limits, [key]: target.value })} />
    </Field>
  );
  return (
    <div className="assistant-limits">
      {field("runs", "questions")}
      {field("tokens", "tokens")}
      {field("dollars", "dollars")}
    </div>
  );
}
