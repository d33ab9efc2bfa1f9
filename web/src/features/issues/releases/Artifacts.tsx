import { useSession } from "@/api/session";
import { bytes, count } from "@/format/bytes";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { mapsCommand } from "./commands";
import type { Artifact, Release } from "./queries";
import { artifactName } from "./words";

/** Bundles of source maps and what else was uploaded for a release. */
export function Artifacts({ release }: { release: Release }) {
  const url = useSession().public_url;
  if (release.artifacts.length === 0) {
    return (
      <EmptyState small headline="No source maps were uploaded" command={`export SENTRY_URL=${url}\n${mapsCommand(release.version)}`} filled={[url, release.version]} commandLabel="Commands">
        Minified frames stay minified until their maps are here. Upload them before the first event: what came before keeps its frames as they were.
      </EmptyState>
    );
  }
  return <Table label="Artifacts" rows={release.artifacts} rowKey={({ id }) => String(id)} columns={columns} keyboard />;
}

const columns: Column<Artifact>[] = [
  { key: "name", head: "Bundle", lead: true, cell: (artifact) => <span className="title loc">{artifactName(artifact)}</span> },
  { key: "files", head: "Files", said: "files", width: 100, number: true, cell: ({ files }) => count(files) },
  { key: "size", head: "Size", width: 110, number: true, cell: ({ size }) => bytes(size) },
  { key: "at", head: "Uploaded", width: 140, cell: ({ created_at: at }) => <RelativeTime at={at} /> },
];
