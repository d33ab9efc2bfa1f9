import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { ceilingWords, type Form, formOf, limitsOf, todayWords } from "./form";
import { type Limits, limitsQuery, sizesQuery } from "./queries";

/** What a team sets for itself within what the installation allows. */
export function LimitFields({ team, limits }: { team: string; limits: Limits }) {
  const [form, setForm] = useState(() => formOf(limits));
  const refused = refusal(useSession(), team, "owner");
  const client = useQueryClient();
  const toast = useToast();
  const dirty = JSON.stringify(form) !== JSON.stringify(formOf(limits));
  const save = useTask({
    run: () => data(api.PUT("/api/v1/logs/limits", { body: { team, ...limitsOf(form) } })),
    onDone: (saved) => {
      client.setQueryData(limitsQuery(team).queryKey, saved);
      void client.invalidateQueries({ queryKey: sizesQuery(team).queryKey });
      toast({ text: "The limits hold from now on" });
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const most = ceilingWords(limits);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!refused && dirty) void save.start();
  };
  const field = (key: keyof Form, name: string, label: string, hint: string, placeholder = "no limit") => (
    <Field label={label} hint={hint} error={problem?.field(name)}>
      <Input type="number" min={0} step="any" value={form[key]} placeholder={placeholder} onChange={({ target }) => setForm({ ...form, [key]: target.value })} />
    </Field>
  );
  return (
    <form className="pane logs-limits" onSubmit={submit} noValidate aria-label="Limits">
      <div className="section-head">
        <h2>Limits of {team}</h2>
        <span className="meta">
          {limits.updated_at ? (
            <>
              set by {limits.updated_by} <RelativeTime at={limits.updated_at} />
            </>
          ) : (
            "none of its own; those of this server hold"
          )}
        </span>
      </div>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <div className="fields">
        {field("days", "retention_days", "Days that are kept", most.days, "as this server")}
        {field("megabytes", "retention_bytes", "MB that are kept", most.size, "as this server")}
        {field("lines", "lines_per_second", "Lines a second", "On average over ten seconds. What is more is refused; shippers keep it and come again.")}
        {field("daily", "bytes_per_day", "MB a day", `As lines come, until midnight UTC. ${todayWords(limits)}.`)}
      </div>
      <div className="line">
        <Button kind="primary" size="form" type="submit" busy={save.busy} refused={refused || (!dirty && "Nothing is changed.")}>
          Save
        </Button>
        {dirty && form.days !== formOf(limits).days && <span className="meta">fewer days take the oldest lines away within minutes</span>}
      </div>
    </form>
  );
}
