import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, roleIn, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Facts } from "@/ui/facts";
import { Field, Input } from "@/ui/Field";
import { usePage, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { teamQuery } from "./queries";

/** The team itself: its name, and its end. */
export function TeamPage() {
  const { team: name } = useParams({ strict: false }) as { team: string };
  const { data: team } = useSuspenseQuery(teamQuery(name));
  const me = useSession();
  usePage({ title: `Team ${name}`, crumbs: [{ label: "Settings" }, { label: "Team" }] });
  return (
    <>
      <PageHeader title={team.name} meta="team" />
      <div className="pane measure grid gap-6">
        <Facts
          items={[
            ["Your role", roleIn(me, name)],
            ["Members", team.members],
            ["Privileged tasks", team.privileged ? "allowed" : "refused"],
            ["Created", <RelativeTime key="created" at={team.created_at} />],
          ]}
        />
        <Rename key={name} name={name} />
        <Delete name={name} />
      </div>
    </>
  );
}

function Rename({ name }: { name: string }) {
  const [next, setNext] = useState(name);
  const me = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const task = useTask({
    run: () => api.PATCH("/api/v1/accounts/teams/{team}", { params: { path: { team: name } }, body: { name: next } }),
    onDone: async () => {
      toast({ text: `${name} is now ${next}. Old addresses lead nowhere.` });
      await client.invalidateQueries({ queryKey: ["accounts"] });
      await navigate({ to: "/teams/$team/settings/team", params: { team: next } as never });
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void task.start();
  };
  return (
    <section className="grid gap-3">
      <h2>Name</h2>
      <form className="grid gap-3 max-w-[360px]" onSubmit={submit} noValidate>
        <Field label="Name of the team" hint="Part of every address and of fly’s -n option." error={problem && (problem.field("name") ?? problem.message)}>
          <Input value={next} onChange={(event) => setNext(event.target.value)} autoComplete="off" spellCheck={false} />
        </Field>
        <div>
          <Button type="submit" size="form" busy={task.busy} disabled={next === name || next === ""} refused={refusal(me, name, "owner")}>
            Rename
          </Button>
        </div>
      </form>
    </section>
  );
}

function Delete({ name }: { name: string }) {
  const [asked, setAsked] = useState(false);
  const me = useSession();
  const client = useQueryClient();
  const toast = useToast();
  const navigate = useNavigate();
  const task = useTask({
    run: () => api.DELETE("/api/v1/accounts/teams/{team}", { params: { path: { team: name } } }),
    failed: `${name} was not deleted.`,
    onDone: async () => {
      setAsked(false);
      toast({ text: `Team ${name} is deleted.` });
      await client.invalidateQueries({ queryKey: ["accounts"] });
      await navigate({ to: "/" });
    },
  });
  return (
    <section className="grid gap-3">
      <h2>Delete</h2>
      <p className="muted">Deletes the team with its pipelines, builds, logs, secrets and tokens. Nothing of it can be brought back.</p>
      <div>
        <Button kind="danger" size="form" onClick={() => setAsked(true)} refused={refusal(me, name, "owner")}>
          Delete {name}
        </Button>
      </div>
      <Confirm
        open={asked}
        onClose={() => setAsked(false)}
        onConfirm={() => void task.start()}
        title={`Delete team ${name}?`}
        act={`Delete ${name}`}
        busy={task.busy}
        typed={name}
      >
        Its pipelines, builds, logs, secrets and tokens go with it, running builds are aborted. This cannot be undone.
      </Confirm>
    </section>
  );
}
