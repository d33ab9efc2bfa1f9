import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { CodeBlock } from "@/ui/CodeBlock";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { EmptyState, Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { wallPath } from "../paths";
import { workersQuery } from "../queries";
import { WallContext } from "../wall/WallContext";
import { type Worker, workerState } from "./state";

/** Where builds run, and what is missing when they cannot. */
export function WorkersPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const workers = useSuspenseQuery(workersQuery).data.items;
  const me = useSession();
  const stalled = workers.filter(({ message }) => message);
  const running = workers.reduce((sum, { containers }) => sum + containers, 0);
  usePage({ title: "Workers", crumbs: [{ label: "Pipelines", to: wallPath(team) }, { label: "Workers" }], status: stalled.length > 0 ? "errored" : undefined });
  return (
    <>
      <WallContext team={team} />
      <PageHeader title="Workers" meta={workers.length === 0 ? "nothing runs builds" : `${plural(workers.length, "worker")}, ${plural(running, "container")}`} />
      {stalled.length > 0 && (
        <div className="pane grid gap-2 pb-3">
          {stalled.map(({ name, message }) => (
            <Notice key={name} kind="bad">
              <b>{name}</b> starts no containers: {message}
            </Notice>
          ))}
        </div>
      )}
      {workers.length === 0 ? (
        <EmptyState headline="No worker" command="signalbox doctor" commandLabel="Command">
          This server runs builds itself where containers can be started. The doctor says what is missing.
        </EmptyState>
      ) : (
        <>
          <Table label="Workers" rows={workers} rowKey={({ name }) => name} columns={columns} keyboard />
          <section className="pane grid gap-3 pt-6 max-w-[760px]" aria-label="On the command line">
            <h2>What runs in them</h2>
            <p className="muted">fly lists the containers of {team}, and opens a terminal in one of them, also after its build has failed.</p>
            <CodeBlock code={`fly -t ${team} login -n ${team} -c ${me.public_url}\nfly -t ${team} containers\nfly -t ${team} hijack --handle HANDLE`} filled={[me.public_url, team]} />
          </section>
        </>
      )}
    </>
  );
}

const columns: Column<Worker>[] = [
  { key: "name", head: "Worker", lead: true, sort: (a, b) => a.name.localeCompare(b.name), cell: ({ name }) => <span className="title">{name}</span> },
  { key: "state", head: "State", width: 176, cell: (worker) => <Status {...workerState(worker)} /> },
  { key: "containers", head: "Containers", said: "containers", width: 120, number: true, sort: (a, b) => a.containers - b.containers, cell: ({ containers }) => containers },
  { key: "volumes", head: "Volumes", said: "volumes", width: 120, number: true, sort: (a, b) => a.volumes - b.volumes, cell: ({ volumes }) => volumes },
];
