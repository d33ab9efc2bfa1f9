import "./outputs.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { asProblem } from "@/api/problem";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Input } from "@/ui/Field";
import { useActions, usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, ErrorState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { shownStatus } from "../build/steps";
import { wallPath } from "../paths";
import { WallContext } from "../wall/WallContext";
import { type Package, packagesQuery } from "./queries";
import { parseQuestion, questionText } from "./question";
import { packagesSearch } from "./search";
import { sbomSnippet } from "./snippets";

/** Which builds contain a package? */
export function PackagesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [search, setSearch] = useUrlState(packagesSearch);
  const asked = questionText(search);
  const { data, error, refetch } = useQuery({ ...packagesQuery(team, { ...search, name: search.name ?? "" }), enabled: Boolean(search.name) });
  usePage({ title: asked ? `Builds with ${asked}` : "Packages", crumbs: [{ label: "Pipelines", to: wallPath(team) }, { label: "Packages" }] });
  const navigate = useNavigate();
  const problem = error ? asProblem(error) : undefined;
  return (
    <>
      <WallContext team={team} />
      <PageHeader title="Packages" meta={asked && data ? `${plural(data.items.length, "build contains", "builds contain")} ${asked}, the newest of each job first` : "which builds contain a package"} />
      <Question key={asked} asked={asked} onAsk={(text) => setSearch({ name: undefined, below: undefined, version: undefined, ...parseQuestion(text) }, { push: true })} />
      {problem && <ErrorState what={problem.title} why={problem.detail} requestId={problem.requestId} onRetry={() => void refetch()} />}
      {!asked && (
        <EmptyState headline="Ask before somebody else does" command={sbomSnippet("build")} commandLabel="Snippet" filled={['"dist/bom.json"']}>
          Write <code>log4j-core &lt; 2.17.1</code>, <code>lodash 4.17.20</code> or a name alone. Answers come from the CycloneDX documents that builds keep; this makes a job keep its own:
        </EmptyState>
      )}
      {asked && data?.items.length === 0 && (
        <EmptyState headline={`No build contains ${asked}`} small>
          Only builds that kept a CycloneDX document are known; a job keeps one with <code>sbom</code> below <code>signalbox</code> in its pipeline.
        </EmptyState>
      )}
      {asked && !problem && data?.items.length !== 0 && <Table label="Builds" rows={data?.items} rowKey={({ build, purl, version }) => `${build.id} ${purl} ${version}`} columns={columns} keyboard onOpen={({ build }) => void navigate({ to: `/builds/${build.id}` })} />}
    </>
  );
}

function Question({ asked, onAsk }: { asked: string; onAsk: (text: string) => void }) {
  const [text, setText] = useState(asked);
  const field = useRef<HTMLInputElement>(null);
  useActions([{ id: "packages.ask", label: "Ask for a package", group: "This page", keys: "/", icon: Search, run: () => field.current?.focus() }]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAsk(text);
  };
  return (
    <form className="toolbar tests-bar" role="search" onSubmit={submit}>
      <Input ref={field} compact mono type="search" aria-label="Package" placeholder="log4j-core < 2.17.1" value={text} autoComplete="off" spellCheck={false} onChange={(event) => setText(event.target.value)} />
      <Button type="submit" icon={Search} disabled={!text.trim()}>
        Find builds
      </Button>
    </form>
  );
}

const columns: Column<Package>[] = [
  {
    key: "build",
    head: "Build",
    lead: true,
    cell: ({ build }) => (
      <Link className="title" to={`/builds/${build.id}`}>
        {build.pipeline} / {build.job} #{build.number}
      </Link>
    ),
  },
  { key: "status", head: "State", width: 128, cell: ({ build }) => <Status status={shownStatus(build.status)} /> },
  { key: "package", head: "Package", width: "38%", cell: ({ name, purl }) => <span title={purl}>{name}</span> },
  { key: "version", head: "Version", width: 144, cell: ({ version }) => <span className="mono">{version}</span> },
  { key: "at", head: "Ended", width: 104, end: true, cell: ({ build }) => (build.ended_at ? <RelativeTime at={build.ended_at} /> : "runs") },
];
