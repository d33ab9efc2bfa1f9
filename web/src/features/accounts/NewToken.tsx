import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Select, Tick } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { type Reach, reachOptions, scopesFor } from "./scopes";

type Props = { open: boolean; onClose: () => void; team: string };

const lifetimes = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "1 year" },
  { value: "", label: "never" },
];

/** Makes a token, then shows it, once. */
export function NewToken({ open, onClose, team }: Props) {
  const [made, setMade] = useState<string | null>(null);
  const close = () => {
    setMade(null);
    onClose();
  };
  if (made) return <ShownOnce token={made} onClose={close} />;
  return (
    <Dialog open={open} onClose={close} title={`New token for ${team}`}>
      {open && <TokenForm team={team} onMade={setMade} onClose={close} />}
    </Dialog>
  );
}

function TokenForm({ team, onMade, onClose }: { team: string; onMade: (token: string) => void; onClose: () => void }) {
  const me = useSession();
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [all, setAll] = useState(false);
  const [reach, setReach] = useState<Record<string, Reach>>({ ci: "read" });
  const client = useQueryClient();
  const scopes = scopesFor(all, reach);
  const task = useTask({
    run: () => data(api.POST("/api/v1/accounts/tokens", { body: { name, team, scopes, expires_in_days: days ? Number(days) : undefined } })),
    onDone: ({ token }) => {
      onMade(token);
      void client.invalidateQueries({ queryKey: ["accounts", "tokens"] });
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name && scopes.length > 0) void task.start();
  };
  return (
    <form className="grid gap-3" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Name" hint="What will use it" error={problem?.field("name")}>
        <Input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" autoFocus />
      </Field>
      <Field label="Expires in" error={problem?.field("expires_in_days")}>
        <Select value={days} options={lifetimes} onValue={setDays} />
      </Field>
      <fieldset className="grid gap-1">
        <legend className="label">It may, as far as your role may</legend>
        <Tick checked={all} onChange={(event) => setAll(event.target.checked)}>
          everything <span className="mono">*</span>
        </Tick>
        {[...me.capabilities, "accounts", "system"].map((capability) => (
          <div key={capability} className="line justify-between">
            <span id={`reach-${capability}`}>{capability}</span>
            <Select
              compact
              aria-labelledby={`reach-${capability}`}
              className="w-40"
              disabled={all}
              value={reach[capability] ?? ""}
              options={reachOptions}
              onValue={(value) => setReach({ ...reach, [capability]: value as Reach })}
            />
          </div>
        ))}
        {problem?.field("scopes") && <Notice kind="bad">{problem.field("scopes")}</Notice>}
      </fieldset>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} disabled={!name || scopes.length === 0}>
          Make the token
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}

function ShownOnce({ token, onClose }: { token: string; onClose: () => void }) {
  return (
    <Dialog open sticky onClose={onClose} title="Copy the token now" description="It is stored only as a hash and cannot be shown again.">
      <CodeBlock code={token} wrap label="Token" filled={[token]} />
      <DialogButtons>
        <Button kind="primary" onClick={onClose}>
          I have copied it
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
