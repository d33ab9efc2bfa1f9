import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Field, Input, Tick } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { tokensQuery } from "../queries";
import { enrolCommand, labelsOf } from "./commands";
import { useInstall } from "./useInstall";

const fresh = { name: "", site: "", labels: "", uses: "1", hours: "24", accepts: false };

/** Makes a token and shows, once, the command with it. */
export function NewToken({ team, refused }: { team: string; refused: string | false }) {
  const [form, setForm] = useState(fresh);
  const [secret, setSecret] = useState("");
  const client = useQueryClient();
  const { labels, wrong } = labelsOf(form.labels);
  const make = useTask({
    run: () => data(api.POST("/api/v1/edge/tokens", { body: { team, name: form.name, site: form.site, labels, accepts: form.accepts, max_uses: Number(form.uses), hours: Number(form.hours) } })),
    onDone: ({ token }) => {
      setSecret(token ?? "");
      setForm(fresh);
      void client.invalidateQueries({ queryKey: tokensQuery(team).queryKey });
    },
  });
  const problem = make.error ? asProblem(make.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!refused && !wrong) void make.start();
  };
  const field = (key: "name" | "site" | "uses" | "hours", name: string, label: string, hint: string, number = false) => (
    <Field label={label} hint={hint} error={problem?.field(name)}>
      <Input value={form[key]} onChange={({ target }) => setForm({ ...form, [key]: target.value })} {...(number ? { type: "number", min: 1 } : {})} />
    </Field>
  );
  return (
    <section className="edge-part" aria-label="New token">
      <h2>New token</h2>
      <form className="edge-form" onSubmit={submit} noValidate>
        {problem && problem.fields.length === 0 && (
          <div className="whole">
            <Notice kind="bad">{problem.message}</Notice>
          </div>
        )}
        {field("name", "name", "Name", "What it is for, such as rack 4.")}
        {field("site", "site", "Site", "Its nodes belong there, whatever they say.")}
        <Field label="Labels" hint="role=edge-node region=us-east" error={wrong ? `${wrong} is no name=value` : problem?.field("labels")}>
          <Input value={form.labels} onChange={({ target }) => setForm({ ...form, labels: target.value })} spellCheck={false} />
        </Field>
        {field("uses", "max_uses", "Machines", "How many may use it.", true)}
        {field("hours", "hours", "Hours", "How long it is good; at most 2160.", true)}
        <div className="whole">
          <Tick checked={form.accepts} onChange={({ target }) => setForm({ ...form, accepts: target.checked })}>
            Accept its machines without asking
            <span className="meta block">whoever holds the token brings a machine into the fleet; nobody compares fingerprints</span>
          </Tick>
        </div>
        <div className="whole line">
          <Button kind="primary" size="form" type="submit" busy={make.busy} refused={refused}>
            Make token
          </Button>
        </div>
      </form>
      {secret && <Shown team={team} secret={secret} />}
    </section>
  );
}

function Shown({ team, secret }: { team: string; secret: string }) {
  const { public_url: url } = useSession();
  const install = useInstall(team);
  return (
    <div className="grid gap-2 pt-4 max-w-[860px]">
      <Notice>This is the only time that the token is shown. Run this on the machine:</Notice>
      <CodeBlock label="Enrol command" code={install(url, secret)} filled={[url, secret]} />
      <p className="meta">Where the agent is installed already:</p>
      <CodeBlock label="Enrol command of an installed agent" code={enrolCommand(url, secret)} filled={[url, secret]} />
    </div>
  );
}
