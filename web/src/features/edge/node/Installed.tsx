import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem } from "@/api/problem";
import { count } from "@/format/bytes";
import { Input } from "@/ui/Field";
import { type Column, Table } from "@/ui/Table";
import { bundlePath, cvesPath } from "../paths";
import { nodeCvesQuery, packagesQuery } from "./queries";

/** Vulnerabilities for which there is a bundle that the node does not have. */
export function Cves({ team, id }: { team: string; id: string }) {
  const open = useQuery(nodeCvesQuery(id)).data?.items ?? [];
  if (open.length === 0) return null;
  type Row = (typeof open)[number];
  const columns: Column<Row>[] = [
    { key: "cve", head: "Vulnerability", lead: true, sort: (a, b) => a.cve.localeCompare(b.cve), cell: ({ cve }) => <Link className="title" to={cvesPath(team)} search={{ cve } as never}>{cve}</Link> },
    { key: "severity", head: "Severity", width: 96, cell: ({ severity }) => severity || <span className="muted">not said</span> },
    { key: "source", head: "In", said: "in", width: "22%", cell: ({ source }) => source },
    { key: "fixed", head: "Mended in", said: "mended in", width: "22%", cell: ({ fixed_version: version }) => <code>{version}</code> },
    { key: "bundle", head: "By bundle", said: "by", width: "22%", cell: ({ bundle }) => <Link className="link" to={bundlePath(team, bundle)}>{bundle}</Link> },
  ];
  return (
    <section aria-label="Open vulnerabilities">
      <h2>Open vulnerabilities</h2>
      <Table label="Open vulnerabilities" compact columns={columns} rows={open} rowKey={({ cve, source, bundle }) => `${cve} ${source} ${bundle}`} />
    </section>
  );
}

const most = 200;

/** What the node said is installed. */
export function Packages({ id }: { id: string }) {
  const [typed, setTyped] = useState("");
  const { data, error } = useQuery(packagesQuery(id));
  const found = (data?.items ?? []).filter(({ name, version }) => `${name} ${version}`.includes(typed));
  type Row = (typeof found)[number];
  const columns: Column<Row>[] = [
    { key: "name", head: "Package", lead: true, sort: (a, b) => a.name.localeCompare(b.name), cell: ({ name }) => <b>{name}</b> },
    { key: "version", head: "Version", width: "34%", cell: ({ version }) => <code>{version}</code> },
    { key: "arch", head: "Architecture", width: 110, cell: ({ arch }) => arch },
    { key: "source", head: "Source", said: "of", width: "22%", cell: ({ source }) => source ?? "" },
  ];
  return (
    <section aria-label="Packages">
      <div className="section-head mb-2">
        <h2>Packages</h2>
        <span className="meta">{data && count(data.items.length)}</span>
        {data && data.items.length > 10 && (
          <span className="push">
            <Input compact type="search" aria-label="Find a package" placeholder="find" value={typed} onChange={({ target }) => setTyped(target.value)} />
          </span>
        )}
      </div>
      {error || data?.items.length === 0 ? (
        <p className="muted">{error && asProblem(error).status !== 404 ? asProblem(error).message : "Not known yet: the node sends its list after it was accepted."}</p>
      ) : (
        <>
          <Table label="Packages" compact columns={columns} rows={data && found.slice(0, most)} rowKey={({ name, arch, version }) => `${name} ${arch} ${version}`} />
          {found.length > most && <p className="meta">the first {most} of {count(found.length)}</p>}
        </>
      )}
    </section>
  );
}
