import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { count, plural } from "@/format/bytes";
import { Progress } from "@/ui/facts";
import { RelativeTime } from "@/ui/RelativeTime";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { fleetPath, nodePath } from "../paths";
import type { Node, Trust } from "../queries";
import { behindFilter, behindQuery } from "./queries";
import { behind } from "./state";

/** How far the newest root has come, and which nodes still trust an older one. */
export function Behind({ team, trust, newest }: { team: string; trust: Trust; newest: number }) {
  const rows = behind(trust.nodes_by_root, newest);
  const old = rows.filter((row) => row.old).reduce((sum, { nodes }) => sum + nodes, 0);
  const all = rows.reduce((sum, { nodes }) => sum + nodes, 0);
  const late = useQuery({ ...behindQuery(team, newest), enabled: old > 0 }).data;
  return (
    <section className="edge-part" aria-label="What nodes trust">
      <h2>What nodes trust</h2>
      {all === 0 ? (
        <p className="muted">No node yet.</p>
      ) : (
        <div className="grid gap-2 max-w-[560px]">
          {old > 0 && <Progress value={(all - old) / all} label={`Nodes that trust root ${newest}`} />}
          <ul className="grid gap-1">
            {rows.map(({ root, nodes, old: late }) => (
              <li key={root} className="line">
                <StatusGlyph status={late ? "pending" : "succeeded"} />
                <b className="num">{count(nodes)}</b> {root === 0 ? "no root yet" : `root ${root}`}
              </li>
            ))}
          </ul>
        </div>
      )}
      {old > 0 && (
        <>
          <p className="muted pt-2 pb-2">
            {plural(old, "node")} still {old === 1 ? "trusts" : "trust"} an older root. They follow when they check in next; one without a link follows with the next bundle that is carried to it.
          </p>
          {late && late.length > 0 && <Table label="Nodes that trust an older root" compact columns={columns(team)} rows={late} rowKey={({ id }) => id} />}
          {late && late.length < old && late.length > 0 && <p className="meta pt-2">the first {late.length}; <Link className="link underline" to={fleetPath(team)} search={{ q: behindFilter(newest), view: "table" } as never}>all of them</Link></p>}
        </>
      )}
    </section>
  );
}

const columns = (team: string): Column<Node>[] => [
  {
    key: "name",
    head: "Node",
    lead: true,
    cell: ({ id, name }) => (
      <Link className="title" to={nodePath(team, id)}>
        {name}
      </Link>
    ),
  },
  { key: "site", head: "Site", said: "at", width: "20%", cell: ({ site }) => site || <span className="muted">–</span> },
  { key: "root", head: "Trusts", said: "trusts", width: 130, cell: ({ root_version: root }) => (root > 0 ? `root ${root}` : "no root yet") },
  { key: "seen", head: "Seen", said: "seen", width: 130, cell: ({ seen_at: at }) => (at ? <RelativeTime at={at} /> : <span className="muted">never</span>) },
];
