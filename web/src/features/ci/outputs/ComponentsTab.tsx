import "./outputs.css";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useMemo, useRef } from "react";
import { asProblem } from "@/api/problem";
import { count, plural } from "@/format/bytes";
import { Copyable } from "@/ui/CopyButton";
import { Input } from "@/ui/Field";
import { useActions } from "@/ui/frame/hooks";
import { EmptyState, ErrorState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import type { BuildSearch } from "../build/search";
import { packagesPath } from "../paths";
import type { Build } from "../queries";
import { type Component, sbomQuery } from "./queries";
import { sbomSnippet } from "./snippets";

type Props = { build: Build; search: BuildSearch; onSearch: (change: Partial<BuildSearch>) => void };

const most = 300;

/** What the build is made of, from its CycloneDX document. */
export function ComponentsTab({ build, search: { find }, onSearch }: Props) {
  const { data, error, refetch } = useQuery(sbomQuery(build.id));
  const field = useRef<HTMLInputElement>(null);
  useActions([{ id: "components.find", label: "Find a component", group: "Components", keys: "/", icon: Search, run: () => field.current?.focus() }]);
  const found = useMemo(() => filtered(data?.components ?? [], find ?? ""), [data, find]);
  if (error) {
    const problem = asProblem(error);
    return <ErrorState what={problem.title} why={problem.detail} requestId={problem.requestId} onRetry={() => void refetch()} />;
  }
  if (data?.components.length === 0) {
    return (
      <EmptyState headline="No bill of materials" command={sbomSnippet(build.job?.name ?? "job")} commandLabel="Snippet" filled={['"dist/bom.json"']}>
        A CycloneDX document that a task writes into one of its outputs is kept with the build. Then this server can say which builds contain a package.
      </EmptyState>
    );
  }
  return (
    <section aria-label="Components">
      <div className="toolbar tests-bar">
        <Input ref={field} compact type="search" aria-label="Find a component" placeholder="Name, version or licence" value={find ?? ""} onChange={(event) => onSearch({ find: event.target.value || undefined })} />
        <span className="meta num">{find ? `${count(found.length)} of ${plural(data?.components.length ?? 0, "component")}` : plural(data?.components.length ?? 0, "component")}</span>
      </div>
      {data && found.length === 0 ? (
        <EmptyState headline="None like that" small>
          This build has no component with “{find}” in its name, version or licence.
        </EmptyState>
      ) : (
        <Table label="Components" rows={data && found.slice(0, most)} rowKey={({ purl, name, version }) => `${purl} ${name} ${version}`} columns={columns(build.team)} keyboard />
      )}
      {found.length > most && <p className="pane meta">The first {most} are listed; search for others.</p>}
    </section>
  );
}

export function filtered(components: Component[], find: string): Component[] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length === 0 ? components : components.filter(({ name, version, purl, licenses }) => words.every((word) => `${name} ${version} ${purl} ${licenses.join(" ")}`.toLowerCase().includes(word)));
}

const columns = (team: string): Column<Component>[] => [
  {
    key: "name",
    head: "Component",
    lead: true,
    width: "26%",
    sort: (a, b) => a.name.localeCompare(b.name),
    cell: ({ name }) => (
      <Link className="link title" to={packagesPath(team)} search={{ name } as never} title={`Builds that contain ${name}`}>
        {name}
      </Link>
    ),
  },
  { key: "version", head: "Version", width: 144, cell: ({ version }) => <span className="mono">{version || "–"}</span> },
  { key: "type", head: "Type", width: 112, cell: ({ type }) => type },
  { key: "licenses", head: "Licences", width: "18%", cell: ({ licenses }) => licenses.join(", ") || "not said" },
  { key: "purl", head: "Package URL", cell: ({ purl }) => (purl ? <Copyable text={purl} /> : "–") },
];
