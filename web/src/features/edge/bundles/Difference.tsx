import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { plural } from "@/format/bytes";
import { Select } from "@/ui/Field";
import { type Column, Table } from "@/ui/Table";
import { type BundleStatus, bundlesQuery } from "../queries";
import { type Change, differences } from "./contents";
import { bundleQuery } from "./queries";

/** What the bundle has otherwise than another one: usually the one before it. */
export function Difference({ team, bundle }: { team: string; bundle: BundleStatus }) {
  const others = (useQuery(bundlesQuery(team)).data?.items ?? []).filter(({ id }) => id !== bundle.id);
  const before = others.filter(({ channel, version }) => channel === bundle.channel && version < bundle.version).toSorted((a, b) => b.version - a.version)[0];
  const [picked, setPicked] = useState("");
  const chosen = picked || before?.id || others[0]?.id || "";
  const other = useQuery({ ...bundleQuery(team, chosen), enabled: chosen !== "" }).data;
  if (others.length === 0) return null;
  const rows = other && differences(other.manifest, bundle.manifest);
  return (
    <section aria-label="Compared">
      <div className="section-head mb-2 flex-wrap">
        <h2>Compared with</h2>
        <Select compact aria-label="Compared with" value={chosen} onValue={setPicked} options={others.map(({ id }) => ({ value: id, label: id }))} />
        {rows && <span className="meta">{rows.length === 0 ? "the same packages" : plural(rows.length, "difference")}</span>}
      </div>
      {rows && rows.length > 0 && <Table label="Differences" compact columns={columns} rows={rows.slice(0, 300)} rowKey={({ variant, name }) => `${variant} ${name}`} />}
    </section>
  );
}

const columns: Column<Change>[] = [
  { key: "name", head: "Package", lead: true, cell: ({ name }) => <b>{name}</b> },
  { key: "variant", head: "For", said: "for", width: "22%", cell: ({ variant }) => variant },
  { key: "before", head: "There", said: "there", width: "25%", cell: ({ before }) => (before ? <code>{before}</code> : <span className="muted">not in it</span>) },
  { key: "after", head: "Here", said: "here", width: "25%", cell: ({ after }) => (after ? <code>{after}</code> : <span className="muted">not in it</span>) },
];
