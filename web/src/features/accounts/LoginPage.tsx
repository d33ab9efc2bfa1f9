import { hashKey, useQuery, useQueryClient } from "@tanstack/react-query";
import { useLocation, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { api } from "@/api/client";
import { asProblem } from "@/api/problem";
import { sessionQuery } from "@/api/session";
import { Button } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { destination, flyPort } from "./destination";
import { Gate } from "./Gate";

/** Sign in; or, when fly sent the person here, hand fly its token. */
export function LoginPage() {
  const search = useSearch({ strict: false }) as { next?: unknown; fly_port?: unknown };
  const port = flyPort(search.fly_port);
  const session = useQuery({ ...sessionQuery, retry: false });
  const navigate = useNavigate();
  const signedIn = session.data;
  const { hash } = useLocation();
  const next = destination(search.next) + (hash && `#${hash}`);

  useEffect(() => {
    document.title = "Sign in · Signalbox";
  }, []);
  useEffect(() => {
    if (signedIn && port === undefined) void navigate({ href: next, replace: true });
  }, [signedIn, port, navigate, next]);

  // Only the first answer is awaited: asked again, as on coming back to this window, the form keeps what was typed.
  if (!session.isFetched) return null;
  if (signedIn && port !== undefined) return <HandOver name={signedIn.user.name} port={port} />;
  return <SignIn port={port} next={next} />;
}

/** A press, never by itself: a link alone must not send a token to a program on this machine. */
function HandOver({ name, port }: { name: string; port: number }) {
  return (
    <Gate title="Sign fly in?" lead={`The fly command on this machine gets a token that acts as ${name}. Do this only if you have just run fly login.`}>
      <Button kind="primary" size="form" onClick={() => toFly(port)} autoFocus>
        Sign fly in as {name}
      </Button>
    </Gate>
  );
}

function toFly(port: number) {
  window.location.assign(`/sky/fly?fly_port=${port}`);
}

/** Signing in twice does no harm, so a connection that fails on the way is tried again. */
async function insisting<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 2 || asProblem(error).status !== 0) throw error;
    }
  }
}

function SignIn({ port, next }: { port?: number; next: string }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const task = useTask({
    run: async () => {
      await insisting(() => api.POST("/api/v1/accounts/session", { body: { name, password } }));
      client.removeQueries({ predicate: ({ queryKey }) => hashKey(queryKey) !== hashKey(sessionQuery.queryKey) });
      await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
    },
    onDone: () => {
      if (port !== undefined) toFly(port);
      else void navigate({ href: next, replace: true });
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void task.start();
  };
  return (
    <Gate title="Sign in" lead={port !== undefined && "fly waits for you to sign in."} onSubmit={submit}>
      {problem && <Notice kind="bad">{problem.status === 401 ? (problem.detail ?? "Name or password is wrong.") : problem.message}</Notice>}
      <Field label="Name" error={problem?.field("name")}>
        <Input name="name" autoComplete="username" autoCapitalize="none" spellCheck={false} required autoFocus value={name} onChange={(event) => setName(event.target.value)} />
      </Field>
      <Field label="Password" error={problem?.field("password")}>
        <Input name="password" type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
      </Field>
      <Button kind="primary" size="form" type="submit" busy={task.busy} disabled={!name || !password}>
        {task.busy ? "Signing in…" : "Sign in"}
      </Button>
      <p className="meta">
        The first administrator’s password was printed once when the server started. Lost it? <code>signalbox user reset</code> sets a new one.{" "}
        <a className="link" href="/docs">The manual</a> needs no account.
      </p>
    </Gate>
  );
}
