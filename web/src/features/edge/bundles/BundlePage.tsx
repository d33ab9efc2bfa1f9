import "../edge.css";
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { bytes, count, plural } from "@/format/bytes";
import { CodeBlock } from "@/ui/CodeBlock";
import { Copyable } from "@/ui/CopyButton";
import { Facts } from "@/ui/facts";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { EdgeContext } from "../EdgeContext";
import { agentLook } from "../looks";
import { bundlesPath, fleetPath } from "../paths";
import type { BundleStatus } from "../queries";
import { packagesOf, type PackageRow } from "./contents";
import { bundleQuery } from "./queries";

/** What is in a bundle, who signed it, and which nodes have it. */
export function BundlePage() {
  const { team, bundle: id } = useParams({ strict: false }) as { team: string; bundle: string };
  const bundle = useSuspenseQuery(bundleQuery(team, id)).data;
  const file = `/api/v1/edge/bundles/${encodeURIComponent(id)}/file?team=${encodeURIComponent(team)}`;
  const sbom = `/api/v1/edge/bundles/${encodeURIComponent(id)}/sbom?team=${encodeURIComponent(team)}`;
  const good = bundle.vouched && !bundle.expired;
  usePage({ title: id, crumbs: [{ label: "Edge", to: fleetPath(team) }, { label: "Bundles", to: bundlesPath(team) }, { label: id }] });
  return (
    <>
      <EdgeContext team={team} />
      <PageHeader
        title={id}
        status={good ? "succeeded" : "failed"}
        meta={`${good ? "signed and valid" : bundle.expired ? "expired" : "withdrawn"} · version ${bundle.version} · ${bytes(bundle.size)}`}
        actions={
          <>
            <a className="btn" href={sbom} download={`${id}.cdx.json`}>
              SBOM
            </a>
            <a className="btn" href={file} download={`${id}.epb`}>
              Download
            </a>
          </>
        }
      />
      <div className="edge-cols">
        <div>
          {!good && (
            <section>
              <Notice kind="bad">{bundle.expired ? "Its time is over: nodes refuse it." : "The newest signed list names it no longer: nodes refuse it."}</Notice>
            </section>
          )}
          <Variants bundle={bundle} />
          <Contents bundle={bundle} />
          <section aria-label="Without a network">
            <h2>To nodes without a network</h2>
            <p className="muted mb-2">The file carries today&apos;s signatures, so a node trusts it without asking here.</p>
            <CodeBlock label="Export command" code={`signalbox bundle export ${id} -o ${id}.epb\nsudo signalbox-agent apply ${id}.epb`} filled={[id]} />
          </section>
        </div>
        <aside aria-label="Facts">
          <Signed bundle={bundle} />
          <Nodes team={team} bundle={bundle} />
        </aside>
      </div>
    </>
  );
}

function Variants({ bundle }: { bundle: BundleStatus }) {
  type Row = BundleStatus["variants"][number];
  const columns: Column<Row>[] = [
    { key: "name", head: "System", lead: true, cell: ({ name, codename }) => <><b>{name}</b> <span className="muted">{codename}</span></> },
    { key: "packages", head: "Packages", said: "packages", width: 96, number: true, cell: ({ packages }) => count(packages) },
    { key: "rollback", head: "To go back", said: "to go back", width: 110, number: true, cell: ({ rollback }) => count(rollback) },
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

const most = 300;

function Contents({ bundle }: { bundle: BundleStatus }) {
  const rows = packagesOf(bundle.manifest);
  const columns: Column<PackageRow>[] = [
    { key: "name", head: "Package", lead: true, sort: (a, b) => a.name.localeCompare(b.name), cell: ({ name }) => <b>{name}</b> },
    { key: "version", head: "Version", width: "30%", cell: ({ version }) => <code>{version}</code> },
    { key: "variant", head: "For", said: "for", width: "26%", cell: ({ variant }) => variant },
    { key: "size", head: "Size", width: 96, number: true, sort: (a, b) => a.size - b.size, cell: ({ size }) => (size > 0 ? bytes(size) : "–") },
  ];
  if (rows.length === 0) return null;
  return (
    <section aria-label="Contents">
      <div className="section-head mb-2">
        <h2>Contents</h2>
        <span className="meta">
          {plural(rows.length, "package")}, {plural(bundle.fixes, "vulnerability", "vulnerabilities")} mended
        </span>
      </div>
      <Table label="Contents" compact columns={columns} rows={rows.slice(0, most)} rowKey={({ variant, name, version }) => `${variant} ${name} ${version}`} />
      {rows.length > most && <p className="meta">the first {most}; all are in the SBOM</p>}
    </section>
  );
}

function Signed({ bundle }: { bundle: BundleStatus }) {
  return (
    <section>
      <h2>Signed</h2>
      <Facts
        items={[
          ...bundle.signers.map(({ role, key_id: key }): [string, React.ReactNode] => [role, <Copyable key={key} text={key}>{key.slice(0, 12)}</Copyable>]),
          ["Stands", bundle.vouched ? <Status key="v" status="succeeded" word="named by the signed list" /> : <Status key="v" status="failed" word="withdrawn" />],
          ["Good until", <RelativeTime key="e" at={bundle.expires_at} />],
          ["Made", <RelativeTime key="c" at={bundle.created_at} />],
          ["Published", <>{bundle.published_by} <RelativeTime key="p" at={bundle.published_at} /></>],
          ["Manifest", <Copyable key="m" text={bundle.manifest_sha256}>{bundle.manifest_sha256.slice(0, 16)}</Copyable>],
        ]}
      />
    </section>
  );
}

function Nodes({ team, bundle }: { team: string; bundle: BundleStatus }) {
  const states = Object.entries(bundle.nodes).filter(([, n]) => n > 0);
  return (
    <section>
      <h2>Nodes</h2>
      {states.length === 0 ? (
        <p className="muted">No node has it or is at it.</p>
      ) : (
        <ul className="grid gap-1">
          {states.map(([state, n]) => (
            <li key={state} className="line">
              <Link to={fleetPath(team)} search={{ q: `bundle:${bundle.id} agent_state:${state}` } as never}>
                <Status {...agentLook(state)} />
              </Link>
              <span className="push num">{count(n)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
