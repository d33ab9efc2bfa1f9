import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { PlugZap, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { count } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { repositoriesPath } from "../paths";
import { type Connection, connectionsQuery } from "../queries";
import { signedIn } from "./words";

type Props = { connections: Connection[]; team: string; refused: string | false; onOpen: (what: Opened, connection: string) => void };
type Opened = "installations" | "organizations";

/** The connections of a team: tried, led on to their repositories, and removed from here. */
export function ConnectionList({ connections, team, refused, onOpen }: Props) {
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
      void client.invalidateQueries({ queryKey: ["ci", "hooks"] });
      refresh();
    },
  });
  const acts = { team, refused, busy: test.busy, onTest: (one: Connection) => void test.start(one), onDelete: setDoomed, onOpen };
  return (
    <>
      <Table label="Connections" rows={connections} rowKey={({ id }) => id} columns={columns(acts)} keyboard />
      <Confirm open={doomed !== null} onClose={() => setDoomed(null)} onConfirm={() => doomed && void remove.start(doomed)} title={`Delete connection ${doomed?.name ?? ""}?`} act="Delete" busy={remove.busy}>
        The webhooks it made are removed at GitHub too, builds no longer report to {doomed?.api_url}, and the {doomed?.kind === "app" ? "App's key" : "token"} is forgotten. Webhooks that somebody entered by hand stay.
      </Confirm>
    </>
  );
}

type Acts = { team: string; refused: string | false; busy: boolean; onTest: (one: Connection) => void; onDelete: (one: Connection) => void; onOpen: Props["onOpen"] };

function columns({ team, refused, busy, onTest, onDelete, onOpen }: Acts): Column<Connection>[] {
  return [
    {
      key: "name",
      head: "Name",
      lead: true,
      width: "16%",
      cell: (one) => (
        <Link className="title clip" to={repositoriesPath(team)} search={{ connection: one.id } as never}>
          {one.name}
        </Link>
      ),
    },
    { key: "kind", head: "Signs in by", width: 104, cell: (one) => (one.kind === "app" ? "GitHub App" : "token") },
    { key: "state", head: "State", cell: (one) => <span className="line" title={one.problem}><Status {...signedIn(one)} /></span> },
    { key: "url", head: "API address", width: "18%", cell: (one) => <span className="mono clip" title={one.api_url}>{one.api_url}</span> },
    { key: "rate", head: "Calls left", width: 128, said: "Calls left", cell: (one) => <Rate one={one} /> },
    { key: "tested", head: "Tested", width: 104, said: "Tested", cell: (one) => (one.tested_at ? <RelativeTime at={one.tested_at} /> : "never") },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 288,
      end: true,
      cell: (one) => (
        <span className="line justify-end">
          <Button size="small" onClick={() => onOpen(one.kind === "app" ? "installations" : "organizations", one.id)}>
            {one.kind === "app" ? "Installations" : "Organizations"}
          </Button>
          <Link className="btn small" to={repositoriesPath(team)} search={{ connection: one.id } as never}>
            Repositories
          </Link>
          <IconButton size="small" icon={PlugZap} label={`Test ${one.name}`} refused={refused} busy={busy} onClick={() => onTest(one)} />
          <IconButton size="small" icon={Trash2} label={`Delete ${one.name}`} refused={refused} onClick={() => onDelete(one)} />
        </span>
      ),
    },
  ];
}

function Rate({ one: { rate } }: { one: Connection }) {
  if (!rate) return <span className="muted">unknown</span>;
  return <span title={`until ${new Date(rate.reset_at).toLocaleTimeString()}`}>{`${count(rate.remaining)} of ${count(rate.limit)}`}</span>;
}
