import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Infinity as Endless, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { bytes } from "@/format/bytes";
import { IconButton } from "@/ui/Button";
import { Copyable } from "@/ui/CopyButton";
import { Confirm } from "@/ui/Dialog";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Icon } from "@/ui/Icon";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, ErrorState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { isOver } from "../build/steps";
import type { Build } from "../queries";
import { type Artifact, artifactsQuery, artifactUrl } from "./queries";
import { artifactsSnippet } from "./snippets";

/** Files that the build kept, to download until they expire. */
export function ArtifactsTab({ build }: { build: Build }) {
  const { data: page, error, refetch } = useQuery(artifactsQuery(build.id));
  const [doomed, setDoomed] = useState<Artifact | null>(null);
  const refused = refusal(useSession(), build.team, "member");
  const client = useQueryClient();
  const toast = useToast();
  const refresh = () => void client.invalidateQueries({ queryKey: ["ci", "build", build.id] });
  const keep = useTask({
    run: ({ id }: Artifact) => data(api.POST("/api/v1/ci/artifacts/{id}/keep", { params: { path: { id } } })),
    failed: "It still expires.",
    onDone: (_, { name }) => {
      toast({ text: `${name} is kept until somebody deletes it` });
      refresh();
    },
  });
  const remove = useTask({
    run: ({ id }: Artifact) => done(api.DELETE("/api/v1/ci/artifacts/{id}", { params: { path: { id } } })),
    failed: "The file is still there.",
    onDone: (_, { name }) => {
      setDoomed(null);
      toast({ text: `${name} is deleted` });
      refresh();
    },
  });
  if (error) {
    const problem = asProblem(error);
    return <ErrorState what={problem.title} why={problem.detail} requestId={problem.requestId} onRetry={() => void refetch()} />;
  }
  if (page?.items.length === 0) {
    return (
      <EmptyState headline={isOver(build.status) ? "No files were kept" : "No files yet"} command={artifactsSnippet(build.job?.name ?? "job")} commandLabel="Snippet" filled={['"dist/*.tgz"', "720h"]}>
        Files that a task writes into one of its outputs can be kept to download here. Name them in the pipeline: the first part of the path is the output, here <code>dist</code>.
      </EmptyState>
    );
  }
  return (
    <>
      <Table label="Files" rows={page?.items} rowKey={({ id }) => String(id)} columns={columns({ refused, busy: keep.busy, onKeep: (one) => void keep.start(one), onDelete: setDoomed })} keyboard onOpen={({ id }) => window.location.assign(artifactUrl(id))} />
      <Confirm open={doomed !== null} onClose={() => setDoomed(null)} onConfirm={() => doomed && void remove.start(doomed)} title={`Delete ${doomed?.name ?? ""}?`} act="Delete" busy={remove.busy}>
        {bytes(doomed?.size)} of #{build.name}; links to it end. It cannot be brought back, but the build can be run again.
      </Confirm>
    </>
  );
}

type Acts = { refused: string | false; busy: boolean; onKeep: (one: Artifact) => void; onDelete: (one: Artifact) => void };

function columns({ refused, busy, onKeep, onDelete }: Acts): Column<Artifact>[] {
  return [
    {
      key: "name",
      head: "File",
      lead: true,
      sort: (a, b) => a.path.localeCompare(b.path),
      cell: (one) => (
        <a className="title line" href={artifactUrl(one.id)} download={one.name} title={one.path}>
          <Icon of={Download} size="s" />
          <span className="clip">{one.path || one.name}</span>
        </a>
      ),
    },
    { key: "size", head: "Size", width: 96, number: true, sort: (a, b) => a.size - b.size, cell: ({ size }) => bytes(size) },
    { key: "sha", head: "SHA-256", width: 176, cell: ({ sha256 }) => <Copyable text={sha256}>{`${sha256.slice(0, 12)}…`}</Copyable> },
    { key: "at", head: "Kept", said: "kept", width: 104, cell: ({ created_at: at }) => <RelativeTime at={at} /> },
    { key: "until", head: "Expires", said: "expires", width: 112, cell: ({ expires_at: at }) => (at ? <RelativeTime at={at} /> : "never") },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 96,
      end: true,
      cell: (one) => (
        <span className="line justify-end">
          <IconButton size="small" icon={Endless} label={`Keep ${one.name} without end`} refused={refused || (!one.expires_at && "It never expires.")} busy={busy} onClick={() => onKeep(one)} />
          <IconButton size="small" icon={Trash2} label={`Delete ${one.name}`} refused={refused} onClick={() => onDelete(one)} />
        </span>
      ),
    },
  ];
}
