import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Plus, RotateCw, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { usePage, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { type Secret, secretsQuery } from "./queries";
import { inWords } from "./secretUse";
import { SecretForm } from "./SecretForm";

const instant = (at: string) => new Date(at).getTime();
const secretKey = (secret: Secret) => `${secret.pipeline}/${secret.name}`;

/** Names of the team's secrets. Values go in and never come out. */
export function SecretsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const secrets = useSuspenseQuery(secretsQuery(team)).data.items;
  const me = useSession();
  const [form, setForm] = useState<Partial<Secret> | null>(null);
  const [doomed, setDoomed] = useState<Secret | null>(null);
  usePage({ title: `Secrets of ${team}`, crumbs: [{ label: "Settings" }, { label: "Secrets" }] });
  const refused = refusal(me, team, "member");
  return (
    <>
      <PageHeader
        title="Secrets"
        meta={secrets.length > 0 ? `${plural(secrets.length, "secret")}, encrypted; values are never shown` : "values are encrypted and never shown"}
        actions={
          <Button kind="primary" icon={Plus} onClick={() => setForm({})} refused={refused}>
            New secret
          </Button>
        }
      />
      {secrets.length === 0 ? (
        <EmptyState headline="No secrets yet" command={"params:\n  TOKEN: ((registry-token))"} filled={["((registry-token))"]} commandLabel="Snippet">
          A secret replaces <code>((its-name))</code> in pipelines of {team} when a build runs, and is masked in every log.
        </EmptyState>
      ) : (
        <Table label="Secrets" columns={secretColumns({ team, refused, rotate: setForm, remove: setDoomed })} rows={secrets} rowKey={secretKey} keyboard onOpen={refused ? undefined : setForm} />
      )}
      <SecretForm secret={form} onClose={() => setForm(null)} team={team} />
      <Remove secret={doomed} onClose={() => setDoomed(null)} team={team} />
    </>
  );
}

function Remove({ secret, onClose, team }: { secret: Secret | null; onClose: () => void; team: string }) {
  const client = useQueryClient();
  const toast = useToast();
  const task = useTask({
    run: ({ pipeline, name }: Secret) => api.DELETE("/api/v1/ci/secrets", { params: { query: { team, pipeline: pipeline || undefined, name } } }),
    failed: "The secret is still there.",
    onDone: (_, { name }) => {
      onClose();
      toast({ text: `Secret ${name} is deleted` });
      void client.invalidateQueries({ queryKey: ["ci", "secrets"] });
    },
  });
  return (
    <Confirm
      open={secret !== null}
      onClose={onClose}
      onConfirm={() => secret && void task.start(secret)}
      title={`Delete secret ${secret?.name ?? ""}?`}
      act="Delete"
      busy={task.busy}
    >
      Builds of {secret?.pipeline || `every pipeline in ${team}`} that name <code>(({secret?.name}))</code> fail from now on. The value cannot be brought back.
    </Confirm>
  );
}

type Acts = { team: string; refused: string | false; rotate: (secret: Secret) => void; remove: (secret: Secret) => void };

function secretColumns({ team, refused, rotate, remove }: Acts): Column<Secret>[] {
  return [
    {
      key: "name",
      head: "Name",
      lead: true,
      sort: (a, b) => a.name.localeCompare(b.name),
      cell: (secret) => <code>{secret.name}</code>,
    },
    {
      key: "pipeline",
      head: "For",
      said: "for",
      sort: (a, b) => a.pipeline.localeCompare(b.pipeline),
      cell: ({ pipeline }) =>
        pipeline ? (
          <Link className="link" to={`/teams/${encodeURIComponent(team)}/pipelines/${encodeURIComponent(pipeline)}`}>
            {pipeline}
          </Link>
        ) : (
          <span className="muted">all pipelines of {team}</span>
        ),
    },
    { key: "updated", head: "Value since", said: "value since", width: 128, sort: (a, b) => instant(a.updated_at) - instant(b.updated_at), cell: (secret) => <RelativeTime at={secret.updated_at} /> },
    { key: "version", head: "Version", said: "version", width: 88, number: true, sort: (a, b) => (a.version ?? 0) - (b.version ?? 0), cell: ({ version }) => version ?? "–" },
    { key: "by", head: "Set by", said: "by", width: 128, cell: (secret) => secret.updated_by || "–" },
    {
      key: "used",
      head: "Last used",
      said: "used",
      width: 128,
      sort: (a, b) => instant(a.last_used_at ?? "1970-01-01") - instant(b.last_used_at ?? "1970-01-01"),
      cell: (secret) => (secret.last_used_at ? <RelativeTime at={secret.last_used_at} /> : <span className="muted">never</span>),
    },
    { key: "user", head: "Used by", cell: (secret) => <User team={team} use={secret.last_used_by} /> },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 136,
      end: true,
      cell: (secret) => (
        <span className="line justify-end">
          <Button size="small" icon={RotateCw} refused={refused} aria-label={`Rotate ${secret.name}`} onClick={() => rotate(secret)}>
            Rotate
          </Button>
          <IconButton size="small" icon={Trash2} label={`Delete ${secret.name}`} refused={refused} onClick={() => remove(secret)} />
        </span>
      ),
    },
  ];
}

/** The build that got the value last, or the check of a pipeline. */
function User({ team, use }: { team: string; use: Secret["last_used_by"] }) {
  if (!use) return <span className="muted desk">–</span>;
  const words = inWords(use);
  const to = use.build ? `/builds/${use.build}` : `/teams/${encodeURIComponent(team)}/pipelines/${encodeURIComponent(use.pipeline)}`;
  return (
    <Link className="link clip" to={to} title={words}>
      {words}
    </Link>
  );
}
