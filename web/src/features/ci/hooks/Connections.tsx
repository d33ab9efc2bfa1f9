import { useQueryClient } from "@tanstack/react-query";
import { PlugZap, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { count } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { type Connection, connectionsQuery } from "../queries";

type Props = { connections: Connection[]; team: string; refused: string | false; onNew: () => void };

/** How this server signs in at GitHub. */
export function Connections({ connections, team, refused, onNew }: Props) {
  const client = useQueryClient();
  const toast = useToast();
  const [doomed, setDoomed] = useState<Connection | null>(null);
  const refresh = () => void client.invalidateQueries({ queryKey: connectionsQuery(team).queryKey });
  const test = useTask({
    run: (one: Connection) => data(api.POST("/api/v1/ci/connections/{id}/test", { params: { path: { id: one.id } } })),
    failed: "The test did not run.",
    onDone: (said, one) => {
      refresh();
      if (said.ok) toast({ text: `${one.name} answers as ${said.login}; ${count(said.rate_remaining)} of ${count(said.rate_limit)} calls are left` });
      else toast({ text: `${one.name} refuses. ${said.error}`, kind: "bad" });
    },
  });
  const remove = useTask({
    run: (one: Connection) => done(api.DELETE("/api/v1/ci/connections/{id}", { params: { path: { id: one.id } } })),
    failed: "The connection is still there.",
    onDone: (_, one) => {
      setDoomed(null);
      toast({ text: `Connection ${one.name} is deleted` });
      refresh();
    },
  });
  return (
    <section aria-label="Connections">
      <div className="hooks-head section-head">
        <h2>Connections to GitHub</h2>
        <Button size="small" className="push" icon={Plus} refused={refused} onClick={onNew}>
          Connect
        </Button>
      </div>
      {connections.length === 0 ? (
        <EmptyState headline="No connection yet" small>
          With a token of GitHub builds show as checks at their commits, and private repositories can be read.
        </EmptyState>
      ) : (
        <Table label="Connections" rows={connections} rowKey={({ id }) => id} columns={columns(refused, test.busy, (one) => void test.start(one), setDoomed)} />
      )}
      <Confirm open={doomed !== null} onClose={() => setDoomed(null)} onConfirm={() => doomed && void remove.start(doomed)} title={`Delete connection ${doomed?.name ?? ""}?`} act="Delete" busy={remove.busy}>
        Builds no longer report to {doomed?.api_url}. Webhooks stay and still start jobs. The token is forgotten.
      </Confirm>
    </section>
  );
}

function columns(refused: string | false, busy: boolean, onTest: (one: Connection) => void, onDelete: (one: Connection) => void): Column<Connection>[] {
  return [
    { key: "name", head: "Name", lead: true, width: 176, cell: (one) => <span className="title">{one.name}</span> },
    { key: "url", head: "API address", width: 280, cell: (one) => <span className="mono">{one.api_url}</span> },
    { key: "state", head: "State", cell: (one) => <State one={one} /> },
    { key: "tested", head: "Tested", width: 128, cell: (one) => (one.tested_at ? <RelativeTime at={one.tested_at} /> : "never") },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 132,
      end: true,
      cell: (one) => (
        <span className="line justify-end">
          <IconButton size="small" icon={PlugZap} label={`Test ${one.name}`} refused={refused} busy={busy} onClick={() => onTest(one)} />
          <IconButton size="small" icon={Trash2} label={`Delete ${one.name}`} refused={refused} onClick={() => onDelete(one)} />
        </span>
      ),
    },
  ];
}

function State({ one }: { one: Connection }) {
  if (one.error) return <Status status="failed" word={one.error} />;
  if (one.login) return <Status status="succeeded" word={`as ${one.login}`} />;
  return <Status status="pending" word="not tested" />;
}
