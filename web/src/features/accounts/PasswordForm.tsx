import { type FormEvent, type ReactNode, useState } from "react";
import { api } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";

export const shortestPassword = 10;

/** Three fields, used on the first day and on the account page. */
export function usePasswordChange(onDone: () => void) {
  const [fields, setFields] = useState({ current: "", next: "", again: "" });
  const task = useTask({
    run: () => api.PUT("/api/v1/accounts/me/password", { body: { current: fields.current, new: fields.next } }),
    onDone: () => {
      setFields({ current: "", next: "", again: "" });
      onDone();
    },
  });
  const short = fields.next !== "" && fields.next.length < shortestPassword;
  const differs = fields.again !== "" && fields.again !== fields.next;
  const ready = fields.current !== "" && fields.next !== "" && !short && fields.again === fields.next;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) void task.start();
  };
  return { fields, setFields, task, short, differs, ready, submit };
}

type Props = { form: ReturnType<typeof usePasswordChange>; currentLabel?: string; act: string; after?: ReactNode };

export function PasswordFields({ form, currentLabel = "Current password", act, after }: Props) {
  const { fields, setFields, task, short, differs, ready } = form;
  const problem = task.error ? asProblem(task.error) : undefined;
  const field = (name: keyof typeof fields, autoComplete: string) => (
    <Input
      type="password"
      name={name}
      autoComplete={autoComplete}
      value={fields[name]}
      onChange={(event) => setFields({ ...fields, [name]: event.target.value })}
    />
  );
  return (
    <>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label={currentLabel} error={problem?.field("current")}>
        {field("current", "current-password")}
      </Field>
      <Field
        label="New password"
        hint={`At least ${shortestPassword} characters; a few words are fine.`}
        error={problem?.field("new") ?? (short ? `${shortestPassword - fields.next.length} more characters` : undefined)}
      >
        {field("next", "new-password")}
      </Field>
      <Field label="New password again" error={differs ? "Not the same as above" : undefined}>
        {field("again", "new-password")}
      </Field>
      <div className="line">
        <Button kind="primary" size="form" type="submit" busy={task.busy} disabled={!ready}>
          {act}
        </Button>
        {after}
      </div>
    </>
  );
}
