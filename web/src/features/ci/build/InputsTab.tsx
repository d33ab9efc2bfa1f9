import { Link } from "@tanstack/react-router";
import { Chip } from "@/ui/facts";
import { Copyable } from "@/ui/CopyButton";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { resourcePath } from "../paths";
import type { Build, BuildInput, RunValue } from "../queries";

/** What the build took and what it made, with their versions. */
export function InputsTab({ build }: { build: Build }) {
  const asked = build.run_inputs ?? [];
  if (build.inputs.length + build.outputs.length + asked.length === 0) {
    return (
      <EmptyState headline="It took nothing and made nothing" small>
        A build lists here the versions that its <code>get</code> steps fetched and its <code>put</code> steps made.
      </EmptyState>
    );
  }
  return (
    <>
      {asked.length > 0 && <Table label="Given" columns={given} rows={asked} rowKey={({ name }) => name} />}
      {build.inputs.length > 0 && <Table label="Inputs" columns={columns(build, "Input")} rows={build.inputs} rowKey={({ name }) => name} keyboard />}
      {build.outputs.length > 0 && <Table label="Outputs" columns={columns(build, "Output")} rows={build.outputs} rowKey={({ name, version }) => name + JSON.stringify(version)} />}
    </>
  );
}

const given: Column<RunValue>[] = [
  { key: "name", head: "Given by hand", lead: true, width: 240, cell: ({ name }) => <span className="title">{name}</span> },
  { key: "type", head: "Type", width: 144, cell: ({ type }) => <span className="mono">{type}</span> },
  { key: "value", head: "Value", cell: (one) => <Value one={one} /> },
];

function Value({ one: { type, value } }: { one: RunValue }) {
  if (type === "secret") return <span className="muted">secret, never shown</span>;
  if (value === null || value === undefined || value === "") return <span className="muted">nothing</span>;
  return <Copyable text={String(value)} />;
}

function columns(build: Build, head: string): Column<BuildInput>[] {
  return [
    {
      key: "name",
      head,
      lead: true,
      width: 240,
      cell: (input) => (
        <span className="line">
          {build.pipeline ? (
            <Link className="link title" to={resourcePath(build.team, build.pipeline.name, input.resource)}>
              {input.name}
            </Link>
          ) : (
            <span className="title">{input.name}</span>
          )}
          {input.first && <Chip kind="new">new</Chip>}
        </span>
      ),
    },
    { key: "type", head: "Type", width: 144, cell: (input) => <span className="mono">{input.type}</span> },
    {
      key: "version",
      head: "Version",
      width: "32%",
      cell: (input) => (
        <span className="line">
          {Object.entries(input.version).map(([key, value]) => (
            <span key={key} className="line">
              <span className="meta">{key}</span>
              <Copyable text={value}>{value.length > 20 ? `${value.slice(0, 12)}…` : value}</Copyable>
            </span>
          ))}
        </span>
      ),
    },
    { key: "about", head: "About", cell: (input) => <span className="muted">{input.metadata.map(({ name, value }) => `${name} ${value.split("\n")[0]}`).join(" · ") || "–"}</span> },
  ];
}
