import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { asProblem } from "@/api/problem";
import { count } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { Icon } from "@/ui/Icon";
import { params, text } from "@/ui/schema";
import { SkeletonRows } from "@/ui/Skeleton";
import { EmptyState, Notice } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { EdgeFrame } from "../EdgeFrame";
import { bundlePath, fleetPath, newPolicyPath, nodePath } from "../paths";
import { call } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { type Cve, cveQuery } from "./queries";
import { cveIn, cveWords } from "./state";

const most = 200;
const cveSearch = params({ cve: text(60) });

/** Which nodes still carry a vulnerability: one search, one answer. */
export function CvePage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [{ cve = "" }, setSearch] = useUrlState(cveSearch);
  const { data: found, error } = useQuery(cveQuery(team, cve));
  return (
    <EdgeFrame team={team} title="CVEs" meta="which nodes still carry one">
      <Ask key={cve} cve={cve} onAsk={(next) => setSearch({ cve: next || undefined }, { push: true })} />
      {error && (
        <div className="pane pb-0">
          <Notice kind="bad">{asProblem(error).message}</Notice>
        </div>
      )}
      {cve === "" && (
        <EmptyState headline="Which nodes still carry it?">
          Type or paste the name of a vulnerability. What nodes have installed is compared with what published bundles mend, by the rules of each package system, so the answer needs no scan and holds for nodes that are offline too.
        </EmptyState>
      )}
      {cve !== "" && !error && !found && (
        <div className="pane">
          <SkeletonRows rows={4} />
        </div>
      )}
      {found && <Answer team={team} found={found} />}
      <FromShell command={(url) => call(url, "cves", { team, cve: cve || "CVE-2026-12345" })} />
    </EdgeFrame>
  );
}

function Ask({ cve, onAsk }: { cve: string; onAsk: (cve: string) => void }) {
  const [typed, setTyped] = useState(cve);
  const input = useRef<HTMLInputElement>(null);
  useActions([{ id: "edge.cve.find", label: "Search a CVE", group: "This page", keys: "/", icon: Search, run: () => input.current?.focus() }]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAsk(cveIn(typed) || typed.trim().toUpperCase());
  };
  return (
    <form className="toolbar edge-bar" role="search" onSubmit={submit}>
      <span className="query">
        <Icon of={Search} />
        <input ref={input} type="search" aria-label="CVE" value={typed} placeholder="CVE-2026-12345" spellCheck={false} autoFocus={cve === ""} onChange={({ target }) => setTyped(target.value)} />
      </span>
      <Button type="submit">Search</Button>
    </form>
  );
}

function Answer({ team, found }: { team: string; found: Cve }) {
  const navigate = useNavigate();
  const { id, fixes, open } = found;
  const bundle = fixes[0]?.bundle;
  return (
    <>
      <section className="edge-part" aria-label="Answer">
        <p className="line" role="status">
          <StatusGlyph status={fixes.length === 0 ? "pending" : open.length > 0 ? "failed" : "succeeded"} />
          <b>{cveWords(found)}</b>
        </p>
        {open.length > 0 && (
          <p className="line flex-wrap pt-2">
            <Button onClick={() => void navigate({ to: fleetPath(team), search: { q: `cve:${id}` } as never })}>Show them on the grid</Button>
            {bundle && (
              <Button onClick={() => void navigate({ to: newPolicyPath(team), search: { bundle } as never })}>
                Write a policy for {bundle}
              </Button>
            )}
          </p>
        )}
        {fixes.length === 0 && <p className="muted pt-2">The server knows of a vulnerability by the bundles that mend it. Build one that does, and this page answers as soon as it is published.</p>}
      </section>
      {fixes.length > 0 && (
        <section className="edge-part" aria-label="Mended by">
          <div className="section-head">
            <h2>Mended by</h2>
            <span className="meta">{count(fixes.length)}</span>
          </div>
          <Table label="Mended by" compact columns={mends(team)} rows={fixes} rowKey={({ bundle: name, variant, source }) => `${name} ${variant} ${source}`} />
        </section>
      )}
      {open.length > 0 && (
        <section className="edge-part" aria-label="Nodes that carry it">
          <div className="section-head">
            <h2>Nodes that carry it</h2>
            <span className="meta">{open.length > most ? `the first ${most} of ${count(open.length)}; the grid shows all` : count(open.length)}</span>
          </div>
          <Table label="Nodes that carry it" columns={carriers(team)} rows={open.slice(0, most)} rowKey={({ node, source }) => `${node} ${source}`} onOpen={({ node }) => void navigate({ to: nodePath(team, node) })} keyboard />
        </section>
      )}
    </>
  );
}

const carriers = (team: string): Column<Cve["open"][number]>[] => [
  {
    key: "name",
    head: "Node",
    lead: true,
    width: "20%",
    sort: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }),
    cell: ({ node, name }) => (
      <Link className="title" to={nodePath(team, node)}>
        {name}
      </Link>
    ),
  },
  { key: "site", head: "Site", said: "at", width: 110, sort: (a, b) => a.site.localeCompare(b.site), cell: ({ site }) => site || <span className="muted">–</span> },
  { key: "variant", head: "System", width: 168, cell: ({ variant }) => variant },
  { key: "installed", head: "Has", said: "has", cell: ({ source, installed }) => <code>{`${source} ${installed}`}</code> },
  { key: "needs", head: "Needs", said: "needs", width: "20%", cell: ({ needs }) => <code>{needs}</code> },
  { key: "bundle", head: "By bundle", said: "by", width: "20%", cell: ({ bundle }) => <Link className="link" to={bundlePath(team, bundle)}>{bundle}</Link> },
];

const mends = (team: string): Column<Cve["fixes"][number]>[] => [
  { key: "bundle", head: "Bundle", lead: true, width: "24%", cell: ({ bundle }) => <Link className="link" to={bundlePath(team, bundle)}>{bundle}</Link> },
  { key: "variant", head: "For", said: "for", width: 168, cell: ({ variant }) => variant },
  { key: "source", head: "Package", said: "in", cell: ({ source, fixed_version: version }) => <code>{`${source} ${version}`}</code> },
  { key: "severity", head: "Severity", width: 96, cell: ({ severity }) => severity || <span className="muted">–</span> },
  { key: "advisory", head: "Advisory", width: "18%", cell: ({ advisory }) => advisory || <span className="muted">–</span> },
];
