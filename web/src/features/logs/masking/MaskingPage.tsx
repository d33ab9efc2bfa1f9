import "../logs.css";
import "../rules.css";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { Field, Textarea, Tick } from "@/ui/Field";
import { usePage, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { LogsContext } from "../LogsContext";
import { logsPath } from "../paths";
import { useSettled } from "../useSettled";
import { MaskingPreview } from "./MaskingPreview";
import { type Masking, type MaskingRules, maskingQuery } from "./queries";
import { formOf, mistakeIn, rulesOf, usual } from "./rules";

/** What is taken out of lines before they are kept. */
export function MaskingPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const masking = useSuspenseQuery(maskingQuery(team)).data;
  usePage({ title: "Masking", crumbs: [{ label: "Logs", to: logsPath(team) }, { label: "Masking" }] });
  return (
    <>
      <LogsContext team={team} />
      <PageHeader
        title="Masking"
        meta={
          masking.updated_at ? (
            <>
              changed by {masking.updated_by} <RelativeTime at={masking.updated_at} />
            </>
          ) : (
            "the usual rules"
          )
        }
      />
      <Rules key={JSON.stringify(masking.rules)} team={team} known={masking} />
    </>
  );
}

function Rules({ team, known }: { team: string; known: Masking }) {
  const [form, setForm] = useState(() => formOf(known.rules));
  const refused = refusal(useSession(), team, "owner");
  const client = useQueryClient();
  const toast = useToast();
  const rules = rulesOf(form);
  const settled = useSettled(JSON.stringify(rules), 300);
  const dirty = JSON.stringify(rules) !== JSON.stringify(known.rules);
  const plain = JSON.stringify(rules) === JSON.stringify(rulesOf(usual));
  const save = useTask({
    run: () => data(api.PUT("/api/v1/logs/masking", { body: { team, rules } })),
    onDone: (saved) => {
      client.setQueryData(maskingQuery(team).queryKey, saved);
      toast({ text: "The rules hold for lines that come from now on" });
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!refused && dirty) void save.start();
  };
  return (
    <div className="logs-split">
      <form className="pane logs-form" onSubmit={submit} noValidate>
        {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
        <section aria-label="Usual rules">
          <h2>Usually</h2>
          <Tick checked={form.secrets} onChange={({ target }) => setForm({ ...form, secrets: target.checked })}>
            Passwords, tokens and keys
            <span className="meta block">by their names, as in password=…, api_key, Authorization and Cookie, and by their form: web tokens, private keys, tokens of GitHub, GitLab, Slack, AWS, Google, npm and of this server</span>
          </Tick>
          <Tick checked={form.cards} onChange={({ target }) => setForm({ ...form, cards: target.checked })}>
            Numbers of payment cards
            <span className="meta block">runs of digits with the check digit of a card</span>
          </Tick>
        </section>
        <section aria-label="Rules of this team">
          <h2>In {team} also</h2>
          <Field label="Names of fields" hint="Each on a line of its own. Case, - and _ make no difference; password= in a text counts too." error={mistakeIn(problem, "keys")}>
            <Textarea mono rows={3} value={form.keys} onChange={({ target }) => setForm({ ...form, keys: target.value })} placeholder={"iban\ncustomer_name"} spellCheck={false} />
          </Field>
          <Field label="Expressions" hint="Each on a line of its own. What matches becomes [masked]." error={mistakeIn(problem, "patterns")}>
            <Textarea mono rows={3} value={form.patterns} onChange={({ target }) => setForm({ ...form, patterns: target.value })} placeholder={"\\+\\d[\\d ]{7,}"} spellCheck={false} />
          </Field>
        </section>
        <div className="line flex-wrap">
          <Button kind="primary" size="form" type="submit" busy={save.busy} refused={refused || (!dirty && "Nothing is changed.")}>
            Save
          </Button>
          <Button size="form" refused={plain && "These are the usual rules."} onClick={() => setForm(usual)}>
            The usual rules
          </Button>
          <span className="meta">{dirty ? "not saved yet; the preview shows it" : "lines that are kept already stay as they are"}</span>
        </div>
      </form>
      <MaskingPreview team={team} rules={JSON.parse(settled) as MaskingRules} />
    </div>
  );
}
