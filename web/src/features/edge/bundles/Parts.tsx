import { Link } from "@tanstack/react-router";
import { bytes, plural } from "@/format/bytes";
import { type Column, Table } from "@/ui/Table";
import { cvesPath, fleetPath } from "../paths";
import type { BundleStatus } from "../queries";
import { type FixRow, fixesOf, type PackageRow, packagesOf } from "./contents";

const most = 300;

/** The systems that a bundle is for, and the way to the nodes that can take it. */
export function Variants({ team, bundle }: { team: string; bundle: BundleStatus }) {
  type Row = BundleStatus["variants"][number];
  const columns: Column<Row>[] = [
    {
      key: "name",
      head: "System",
      lead: true,
      cell: ({ name, codename }) => (
        <>
          <Link className="title" to={fleetPath(team)} search={{ q: `variant:${name}` } as never} title="The nodes that can take it">
            {name}
          </Link>{" "}
          <span className="muted">{codename}</span>
        </>
      ),
    },
    { key: "packages", head: "Packages", said: "packages", width: 96, number: true, cell: ({ packages }) => packages },
    { key: "rollback", head: "To go back", said: "to go back", width: 110, number: true, cell: ({ rollback }) => rollback },
    { key: "size", head: "Whole", said: "whole", width: 96, number: true, cell: ({ size }) => bytes(size) },
    { key: "best", head: "By deltas", said: "by deltas", width: 96, number: true, cell: ({ best }) => bytes(best) },
  ];
  return (
    <section aria-label="Systems">
      <h2>Systems</h2>
      <Table label="Systems" compact columns={columns} rows={bundle.variants} rowKey={({ name }) => name} />
    </section>
  );
}

/** The packages of a bundle, whole and as deltas. */
export function Packages({ bundle }: { bundle: BundleStatus }) {
  const rows = packagesOf(bundle.manifest);
  const columns: Column<PackageRow>[] = [
    { key: "name", head: "Package", lead: true, sort: (a, b) => a.name.localeCompare(b.name), cell: ({ name }) => <b>{name}</b> },
    { key: "version", head: "Version", width: "22%", cell: ({ version }) => <code>{version}</code> },
    { key: "from", head: "From", said: "from", width: "22%", cell: ({ from }) => (from.length > 0 ? <code title={from.join(", ")}>{from.join(", ")}</code> : <span className="muted">any</span>) },
    { key: "variant", head: "For", said: "for", width: "18%", cell: ({ variant }) => variant },
    { key: "size", head: "Whole", said: "whole", width: 80, number: true, sort: (a, b) => a.size - b.size, cell: ({ size }) => (size > 0 ? bytes(size) : "–") },
    { key: "delta", head: "Delta", said: "delta", width: 80, number: true, sort: (a, b) => a.delta - b.delta, cell: ({ delta }) => (delta > 0 ? bytes(delta) : <span className="muted">–</span>) },
  ];
  if (rows.length === 0) return null;
  return (
    <section aria-label="Contents">
      <div className="section-head mb-2">
        <h2>Contents</h2>
        <span className="meta">{plural(rows.length, "package")}</span>
      </div>
      <Table label="Contents" compact columns={columns} rows={rows.slice(0, most)} rowKey={({ variant, name, version }) => `${variant} ${name} ${version}`} />
      {rows.length > most && <p className="meta">the first {most}; all are in the SBOM</p>}
    </section>
  );
}

/** What the bundle mends; each leads to the nodes that still carry it. */
export function Fixes({ team, bundle }: { team: string; bundle: BundleStatus }) {
  const rows = fixesOf(bundle.manifest);
  if (rows.length === 0) return null;
  const columns: Column<FixRow>[] = [
    {
      key: "cve",
      head: "Vulnerability",
      lead: true,
      sort: (a, b) => a.cve.localeCompare(b.cve, "en", { numeric: true }),
      cell: ({ cve }) => (
        <Link className="title" to={cvesPath(team)} search={{ cve } as never}>
          {cve}
        </Link>
      ),
    },
    { key: "severity", head: "Severity", width: 110, cell: ({ severity }) => severity || <span className="muted">not said</span> },
    { key: "source", head: "In", said: "in", width: "24%", cell: ({ source }) => source },
    { key: "version", head: "Mended in", said: "mended in", width: "24%", cell: ({ version }) => <code>{version}</code> },
  ];
  return (
    <section aria-label="Vulnerabilities mended">
      <div className="section-head mb-2">
        <h2>Vulnerabilities mended</h2>
        <span className="meta">{rows.length}</span>
      </div>
      <Table label="Vulnerabilities mended" compact columns={columns} rows={rows.slice(0, most)} rowKey={({ cve, source }) => `${cve} ${source}`} />
      {rows.length > most && <p className="meta">the first {most} of {rows.length}</p>}
    </section>
  );
}
