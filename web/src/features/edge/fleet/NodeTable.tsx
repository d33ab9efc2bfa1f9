import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { count } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { RelativeTime } from "@/ui/RelativeTime";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { nodeLook } from "../looks";
import { nodePath } from "../paths";
import { type Node, nodesQuery, rowsFirst } from "../queries";

/** The same nodes as rows. */
export function NodeTable({ team, q }: { team: string; q: string }) {
  const [more, setMore] = useState({ q, limit: rowsFirst });
  const limit = more.q === q ? more.limit : rowsFirst;
  const found = useQuery(nodesQuery(team, q, limit)).data;
  const navigate = useNavigate();
  return (
    <div className="edge-scroll">
      <Table label="Nodes" columns={columns(team)} rows={found?.items} rowKey={({ id }) => id} onOpen={({ id }) => void navigate({ to: nodePath(team, id) })} keyboard />
      {found && found.total > found.items.length && (
        <p className="pane line">
          <Button onClick={() => setMore({ q, limit: Math.min(1000, limit * 3) })} refused={limit >= 1000 && "A thousand rows are the most; narrow the filter."}>
            More
          </Button>
          <span className="meta">
            {count(found.items.length)} of {count(found.total)}
          </span>
        </p>
      )}
    </div>
  );
}

const instant = (at?: string) => (at ? Date.parse(at) : 0);

const columns = (team: string): Column<Node>[] => [
  {
    key: "name",
    head: "Node",
    lead: true,
    sort: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }),
    cell: ({ id, name }) => (
      <Link className="title" to={nodePath(team, id)}>
        {name}
      </Link>
    ),
  },
  {
    key: "state",
    head: "State",
    width: 168,
    sort: (a, b) => nodeLook(a).word.localeCompare(nodeLook(b).word),
    cell: (node) => {
      const { status, word } = nodeLook(node);
      return <Status status={status} word={word} />;
    },
  },
  { key: "site", head: "Site", said: "at", width: 110, sort: (a, b) => a.site.localeCompare(b.site), cell: ({ site }) => site || <span className="muted">–</span> },
  { key: "bundle", head: "Bundle", said: "has", width: "18%", sort: (a, b) => a.bundle.localeCompare(b.bundle), cell: ({ bundle }) => bundle || <span className="muted">none</span> },
  { key: "variant", head: "System", width: 168, sort: (a, b) => a.variant.localeCompare(b.variant), cell: ({ variant }) => variant },
  { key: "cves", head: "Open CVEs", said: "open CVEs", width: 96, number: true, sort: (a, b) => (a.open_cves ?? -1) - (b.open_cves ?? -1), cell: ({ open_cves: open }) => (open === null ? <span className="muted">–</span> : count(open)) },
  { key: "seen", head: "Seen", said: "seen", width: 110, number: true, sort: (a, b) => instant(a.seen_at) - instant(b.seen_at), cell: ({ seen_at: at }) => (at ? <RelativeTime at={at} /> : <span className="muted">never</span>) },
];
