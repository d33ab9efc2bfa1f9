import "./assistant.css";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { Field, Input, Select, Textarea } from "@/ui/Field";
import { usePage, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { Notice } from "@/ui/states";
import { WritesForm } from "./approvals/WritesForm";
import { AssistantContext } from "./AssistantContext";
import { assistantPath } from "./paths";
import { meQuery, type Settings, settingsQuery } from "./queries";

/** What the assistant may read, and who the reader is at GitHub. */
export function SettingsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const settings = useSuspenseQuery(settingsQuery(team)).data;
  usePage({ title: "What the assistant may read", crumbs: [{ label: "Assistant", to: assistantPath(team) }, { label: "What it may read" }] });
  return (
    <>
      <AssistantContext team={team} />
      <PageHeader title="What it may read" meta="everything of this team that the asker may see, and these repositories" />
      <div className="pane assistant-settings">
        <Repositories key={settings.updated_at} team={team} settings={settings} />
        <WritesForm key={`writes ${settings.updated_at}`} team={team} settings={settings} />
        <Me />
      </div>
    </>
  );
}

const linesOf = (text: string) => text.split(/[\s,]+/).filter(Boolean);

function Repositories({ team, settings }: { team: string; settings: Settings }) {
  const [text, setText] = useState(settings.repositories.join("\n"));
  const [usual, setUsual] = useState(settings.default_repository);
  const refused = refusal(useSession(), team, "owner");
  const client = useQueryClient();
  const toast = useToast();
  const list = linesOf(text);
  const chosen = list.includes(usual) ? usual : "";
  const missing = (settings.reachable ?? []).filter((name) => !list.includes(name));
  const save = useTask({
    run: () => data(api.PUT("/api/v1/assistant/settings", { body: { team, repositories: list, default_repository: chosen } })),
    onDone: () => {
      void client.invalidateQueries({ queryKey: settingsQuery(team).queryKey });
      toast({ text: "The assistant reads these from now on" });
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!refused) void save.start();
  };
  return (
    <form onSubmit={submit} noValidate aria-label="Repositories">
      <div className="section-head">
        <h2>Repositories</h2>
      </div>
      {settings.problem && <Notice kind="warn">{settings.problem}</Notice>}
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="It may read" hint="owner/name, one a line. No question reaches any other." error={problem?.field("repositories")}>
        <Textarea mono rows={6} value={text} placeholder="acme/shop" onChange={({ target }) => setText(target.value)} />
      </Field>
      {missing.length > 0 && (
        <p className="meta">
          Your connections also reach{" "}
          {missing.slice(0, 8).map((name) => (
            <button key={name} type="button" className="link" onClick={() => setText([...list, name].join("\n"))}>
              {name}{" "}
            </button>
          ))}
          {missing.length > 8 && `and ${missing.length - 8} more`}
        </p>
      )}
      <Field label="Meant when a question names none" error={problem?.field("default_repository")}>
        <Select value={chosen} onValue={setUsual} options={[{ value: "", label: "it asks back" }, ...list.map((name) => ({ value: name, label: name }))]} />
      </Field>
      <Button kind="primary" size="form" type="submit" busy={save.busy} refused={refused}>
        Save
      </Button>
    </form>
  );
}

function Me() {
  const me = useSuspenseQuery(meQuery()).data;
  const [name, setName] = useState(me.github);
  const client = useQueryClient();
  const toast = useToast();
  const save = useTask({
    run: () => data(api.PUT("/api/v1/assistant/me", { body: { github: name.trim() } })),
    onDone: (saved) => {
      client.setQueryData(meQuery().queryKey, saved);
      toast({ text: saved.github ? `You are ${saved.github} at GitHub` : "Your name at GitHub is forgotten" });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void save.start();
  };
  return (
    <form onSubmit={submit} noValidate aria-label="You">
      <div className="section-head">
        <h2>You</h2>
      </div>
      <Field label="Your name at GitHub" hint="So that “my review” and “my bugs” mean yours." error={save.error ? asProblem(save.error).message : undefined}>
        <Input value={name} placeholder="ann" onChange={({ target }) => setName(target.value)} />
      </Field>
      <Button size="form" type="submit" busy={save.busy} refused={name.trim() === me.github && "Nothing is changed."}>
        Save
      </Button>
    </form>
  );
}
