import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Field, Input, Select } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { manifestQuery, type SlackState, stateQuery } from "./queries";
import { standing } from "./words";

const modes = [
  { value: "socket", label: "This server calls Slack (works behind NAT)" },
  { value: "http", label: "Slack calls this server" },
];

/** The one workspace of this installation: how it stands, what it needs, and whether that is there. */
export function Workspace() {
  const state = useSuspenseQuery({ ...stateQuery(), refetchInterval: 5000 }).data;
  const how = standing(state);
  return (
    <section aria-label="Workspace">
      <div className="section-head">
        <h2>Workspace</h2>
        <Status status={how.ok ? "succeeded" : "pending"} word={how.word} />
      </div>
      <p className="muted">
        {state.configured && `${state.workspace}. `}
        {how.says}
        {state.waiting > 0 && ` ${state.waiting} messages are on their way.`}
      </p>
      {state.lost > 0 && <Notice kind="warn">{`Slack has refused ${state.lost} messages for good in the last days; the server's log says which.`}</Notice>}
      {state.configured && <Check />}
      <Setup key={state.updated_at ?? "new"} state={state} />
    </section>
  );
}

function Check() {
  const [found, setFound] = useState<{ name: string; ok: boolean; says: string }[]>([]);
  const check = useTask({ run: () => data(api.POST("/api/v1/assistant/slack/check")), onDone: ({ items }) => setFound(items) });
  return (
    <>
      <div className="slack-check">
        <Button busy={check.busy} onClick={() => void check.start()}>
          Check everything at Slack
        </Button>
        {check.error !== null && <Notice kind="bad">{asProblem(check.error).message}</Notice>}
      </div>
      {found.length > 0 && (
        <ul className="slack-findings" aria-label="Findings">
          {found.map(({ name, ok, says }) => (
            <li key={name}>
              <Status status={ok ? "succeeded" : "failed"} word={name} /> <span className="meta">{says}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Setup({ state }: { state: SlackState }) {
  const [mode, setMode] = useState(state.mode || "socket");
  const [bot, setBot] = useState("");
  const [app, setApp] = useState("");
  const [secret, setSecret] = useState("");
  const client = useQueryClient();
  const toast = useToast();
  const save = useTask({
    run: () => data(api.PUT("/api/v1/assistant/slack", { body: { mode: mode === "http" ? "http" : "socket", bot_token: bot, app_token: app, signing_secret: secret } })),
    onDone: (saved) => {
      client.setQueryData(stateQuery().queryKey, saved);
      toast({ text: `Slack's workspace ${saved.workspace} is set up` });
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void save.start();
  };
  const kept = (has: boolean) => (has ? "kept as it is" : "");
  return (
    <form onSubmit={submit} noValidate aria-label="Set Slack up" autoComplete="off">
      <Field label="Events come in" error={problem?.field("mode")}>
        <Select value={mode} onValue={setMode} options={modes} />
      </Field>
      <Manifest mode={mode} />
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Bot token" hint="OAuth & Permissions, after the app was installed. It begins with xoxb-." error={problem?.field("bot_token")}>
        <Input mono type="password" autoComplete="off" value={bot} placeholder={kept(state.configured)} onChange={({ target }) => setBot(target.value)} />
      </Field>
      {mode === "socket" ? (
        <Field label="App-level token" hint="Basic Information, App-Level Tokens, with the scope connections:write. It begins with xapp-." error={problem?.field("app_token")}>
          <Input mono type="password" autoComplete="off" value={app} placeholder={kept(state.has_app_token)} onChange={({ target }) => setApp(target.value)} />
        </Field>
      ) : (
        <Field label="Signing secret" hint="Basic Information, App Credentials." error={problem?.field("signing_secret")}>
          <Input mono type="password" autoComplete="off" value={secret} placeholder={kept(state.has_signing_secret)} onChange={({ target }) => setSecret(target.value)} />
        </Field>
      )}
      <Button kind="primary" size="form" type="submit" busy={save.busy}>
        Save
      </Button>
    </form>
  );
}

function Manifest({ mode }: { mode: string }) {
  const manifest = useSuspenseQuery(manifestQuery(mode)).data.manifest;
  return (
    <details className="slack-manifest">
      <summary>The app&apos;s manifest, to paste at api.slack.com/apps under “Create New App, From a manifest”</summary>
      <CodeBlock code={manifest} label="Manifest" />
    </details>
  );
}
