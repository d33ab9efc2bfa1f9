import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { CodeBlock } from "@/ui/CodeBlock";
import { Copyable } from "@/ui/CopyButton";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { type Container, containersQuery } from "./queries";
import { containerState, whose } from "./state";
import { WorkersFrame } from "./WorkersFrame";

/** Containers of a team, each with the command that opens a terminal in it. */
export function ContainersPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const { items } = useSuspenseQuery(containersQuery(team)).data;
  const { public_url: url } = useSession();
  return (
    <WorkersFrame team={team} title="Containers" meta={items.length > 0 ? `${plural(items.length, "container")} of ${team}` : `no container of ${team}`}>
      {items.length === 0 ? (
        <EmptyState headline="No containers">Containers of steps and checks are listed while they run, and those of failed steps for a while after, so that somebody can look around in them.</EmptyState>
      ) : (
        <>
          <Table label="Containers" rows={items} rowKey={({ handle }) => handle} columns={columns(team)} keyboard />
          <section className="pane grid gap-3 pt-6 max-w-[760px]" aria-label="On the command line">
            <p className="muted">The commands open a terminal in a container, also after its build has failed. fly has to be signed in:</p>
            <CodeBlock code={`fly -t ${team} login -n ${team} -c ${url}`} filled={[url, team]} />
          </section>
        </>
      )}
    </WorkersFrame>
  );
}

const columns = (team: string): Column<Container>[] => [
  {
    key: "whose",
    head: "Of",
    lead: true,
    sort: (a, b) => whose(a).localeCompare(whose(b)),
    cell: (one) =>
      one.build?.id ? (
        <Link className="title" to={`/builds/${one.build.id}`}>
          {whose(one)}
        </Link>
      ) : (
        <span className="title">{whose(one)}</span>
      ),
  },
  { key: "step", head: "Step", width: 160, cell: ({ kind, step }) => <span title={`${kind} ${step ?? ""}`}><span className="muted">{kind}</span> {step}</span> },
  { key: "state", head: "State", width: 112, cell: ({ state }) => <Status {...containerState(state)} /> },
  { key: "worker", head: "Worker", said: "on", width: 120, cell: ({ worker }) => worker },
  { key: "since", head: "Started", said: "started", width: 96, cell: ({ started_at: at }) => (at ? <RelativeTime at={at} /> : "–") },
  { key: "command", head: "Terminal", width: "34%", cell: ({ handle }) => <Copyable text={`fly -t ${team} intercept --handle ${handle}`} what="Copy the command that opens a terminal" /> },
];
