import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Segmented } from "@/ui/Segmented";
import { Notice } from "@/ui/states";
import { connectionsQuery } from "../queries";

type Props = { open: boolean; onClose: () => void; team: string };
type Way = "token" | "app";

const ways = [
  { value: "token" as const, label: "Personal token" },
  { value: "app" as const, label: "GitHub App" },
];

/** How this server signs in at GitHub, or at a GitHub of one's own. */
export function NewConnection({ open, onClose, team }: Props) {
  const [way, setWay] = useState<Way>("token");
  return (
    <Dialog open={open} onClose={onClose} title="Connect to GitHub" description={way === "app" ? "An App of your own belongs to no person, writes check runs with annotations, and its tokens last an hour." : "A token acts as the person it belongs to, and writes commit statuses."}>
      <Segmented label="Way to sign in" value={way} options={ways} onChange={setWay} />
      {open && (way === "token" ? <TokenForm team={team} onClose={onClose} /> : <AppForm team={team} onClose={onClose} />)}
    </Dialog>
  );
}

const address = "https://api.github.com";
const ownHint = "A GitHub of your own: https://github.example.com/api/v3";

type FormProps = { team: string; onClose: () => void };

function TokenForm({ team, onClose }: FormProps) {
  const [form, setForm] = useState({ name: "github.com", api_url: address, token: "" });
  const client = useQueryClient();
  const toast = useToast();
  const task = useTask({
    run: () => data(api.POST("/api/v1/ci/connections", { body: { team, ...form } })),
    onDone: (made) => {
      toast({ text: `${made.name} is connected; now choose repositories` });
      void client.invalidateQueries({ queryKey: connectionsQuery(team).queryKey });
      onClose();
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const ready = form.name.trim() && form.api_url.trim() && form.token.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) void task.start();
  };
  const input = (key: keyof typeof form) => ({ value: form[key], onChange: (event: { target: { value: string } }) => setForm({ ...form, [key]: event.target.value }) });
  return (
    <form className="grid gap-3" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Name" error={problem?.field("name")}>
        <Input {...input("name")} autoComplete="off" />
      </Field>
      <Field label="API address" hint={ownHint} error={problem?.field("api_url")}>
        <Input {...input("api_url")} mono type="url" autoComplete="off" spellCheck={false} />
      </Field>
      <Field label="Token" hint="Scopes repo and admin:repo_hook; a fine-grained one: Contents read, Commit statuses and Webhooks write. It is stored encrypted and never shown." error={problem?.field("token")}>
        <Input {...input("token")} mono type="password" autoComplete="off" autoFocus />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} disabled={!ready}>
          Connect
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}

function AppForm({ team, onClose }: FormProps) {
  const [organization, setOrganization] = useState("");
  const [url, setUrl] = useState(address);
  const task = useTask({
    run: () => data(api.GET("/api/v1/ci/connections/app/manifest", { params: { query: { team, organization: organization.trim() || undefined, api_url: url.trim() } } })),
    // The manifest must be posted to GitHub, which the policy of this page forbids: a page of the server's own does it.
    onDone: ({ leave_url }) => window.location.assign(leave_url),
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (url.trim()) void task.start();
  };
  return (
    <form className="grid gap-3" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Organisation" hint="Empty: the App belongs to your own account" error={problem?.field("organization")}>
        <Input value={organization} onChange={(event) => setOrganization(event.target.value)} autoComplete="off" autoCapitalize="none" spellCheck={false} autoFocus />
      </Field>
      <Field label="API address" hint={ownHint} error={problem?.field("api_url")}>
        <Input value={url} onChange={(event) => setUrl(event.target.value)} mono type="url" autoComplete="off" spellCheck={false} />
      </Field>
      <p className="muted">GitHub shows what the App may do and asks you to confirm. You come back here, install it, and choose the installation. Nothing has to be copied.</p>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} disabled={!url.trim()}>
          Go to GitHub
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}
