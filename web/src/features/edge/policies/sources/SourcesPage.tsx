import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { FolderGit2, RefreshCw, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { useActions, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { EdgeFrame } from "../../EdgeFrame";
import { policiesPath } from "../../paths";
import { call, change } from "../../shell/commands";
import { FromShell } from "../../shell/FromShell";
import { NewSource } from "./NewSource";
import { type Source, sourcesQuery } from "./queries";

/** Folders of repositories whose files are policies. */
export function SourcesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const sources = useSuspenseQuery(sourcesQuery(team)).data.items;
  const session = useSession();
  const refused = refusal(session, team, "owner");
  const [adding, setAdding] = useState(false);
  const [asked, setAsked] = useState<Source>();
  useActions([{ id: "edge.source.new", label: "Read policies from a repository", group: "This page", keys: "c", icon: FolderGit2, refused, run: () => setAdding(true) }]);
  const sync = useSync(team);
  const add = (
    <Button kind="primary" icon={FolderGit2} refused={refused} tip="c" onClick={() => setAdding(true)}>
      Add a folder
    </Button>
  );
  return (
    <EdgeFrame team={team} title="Policies from Git" under={{ label: "Policies", to: policiesPath(team) }} meta={sources.length > 0 ? plural(sources.length, "folder") : "none yet"} actions={add}>
      {sources.length === 0 ? (
        <EmptyState headline="No repository is read" actions={add} more={<Connected team={team} />}>
          Keep policies where they are reviewed: each YAML file of a folder is one, a merged pull request changes it and, where you say so, rolls it out; a revert stops that or takes it back. Whoever may push there decides about the fleet.
        </EmptyState>
      ) : (
        <Table label="Folders" columns={columns({ refused, asking: refusal(session, team, "member"), onSync: (source) => void sync.start(source), onDelete: setAsked })} rows={sources} rowKey={({ id }) => id} />
      )}
      {sources.flatMap(({ id, repository, problems }) =>
        problems.map(({ path, message }) => (
          <p key={`${id} ${path}`} className="pane line pb-0">
            <Status status="failed" word={`${repository}/${path}`} /> <span className="min-w-0">{message}</span>
          </p>
        )),
      )}
      <FromShell command={(url) => (sources.length === 0 ? change(url, "POST", "policy-sources", { team, repository: "https://github.com/acme/fleet", branch: "main", folder: "policies", starts: true, on_revert: "stop" }) : call(url, "policy-sources", { team }))} />
      {adding && <NewSource team={team} onClose={() => setAdding(false)} />}
      <Leave team={team} source={asked} onClose={() => setAsked(undefined)} />
    </EdgeFrame>
  );
}

function Connected({ team }: { team: string }) {
  return (
    <p className="meta">
      The team&apos;s connection to GitHub must reach the repository: see <Link className="link underline" to={`/teams/${encodeURIComponent(team)}/ci/hooks`}>GitHub of the team</Link>.
    </p>
  );
}

function useSync(team: string) {
  const client = useQueryClient();
  const toast = useToast();
  return useTask({
    run: ({ id }: Source) => data(api.POST("/api/v1/edge/policy-sources/{source}/sync", { params: { path: { source: id } } })),
    failed: "The repository was not read.",
    onDone: ({ commit, problems }) => {
      toast(problems.length > 0 ? { text: `Read, with ${plural(problems.length, "problem")}`, kind: "bad" } : { text: `Read at ${commit.slice(0, 7)}` });
      void client.invalidateQueries({ queryKey: ["edge", "policies", team] });
    },
  });
}

function Leave({ team, source, onClose }: { team: string; source: Source | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const leave = useTask({
    run: ({ id }: Source) => done(api.DELETE("/api/v1/edge/policy-sources/{source}", { params: { path: { source: id } } })),
    failed: "The folder is still read.",
    onDone: () => {
      void client.invalidateQueries({ queryKey: ["edge", "policies", team] });
      onClose();
    },
  });
  return (
    <Confirm open={source !== undefined} onClose={onClose} onConfirm={() => source && void leave.start(source)} busy={leave.busy} title={source ? `Read ${source.repository} no more?` : ""} act="Read no more">
      Its policies stay as they are and can be changed here from then on. Rollouts go on.
    </Confirm>
  );
}

type Acts = { refused: string | false; asking: string | false; onSync: (source: Source) => void; onDelete: (source: Source) => void };

const columns = ({ refused, asking, onSync, onDelete }: Acts): Column<Source>[] => [
  { key: "repository", head: "Repository", lead: true, cell: ({ repository }) => <b>{repository}</b> },
  { key: "folder", head: "Folder", said: "in", width: "16%", cell: ({ folder, branch }) => <code>{`${folder || "/"} @ ${branch}`}</code> },
  { key: "starts", head: "A change", said: "a change", width: "15%", cell: ({ starts }) => (starts ? "is rolled out" : <span className="muted">only changes the text</span>) },
  { key: "revert", head: "A revert", said: "a revert", width: "13%", cell: ({ on_revert: revert }) => (revert === "rollback" ? "rolls back" : "stops it") },
  {
    key: "read",
    head: "Read",
    said: "read",
    width: "20%",
    cell: ({ synced_at: at, commit, problems }) =>
      at ? (
        <span className="line">
          <Status status={problems.length > 0 ? "failed" : "succeeded"} word={problems.length > 0 ? plural(problems.length, "problem") : "read"} />
          <span className="muted">{commit.slice(0, 7)} <RelativeTime at={at} /></span>
        </span>
      ) : (
        <Status status="pending" word="not yet" />
      ),
  },
  {
    key: "acts",
    head: <span className="sr">Acts</span>,
    width: 96,
    end: true,
    cell: (source) => (
      <>
        <IconButton size="small" icon={RefreshCw} label={`Read ${source.repository} now`} refused={asking} onClick={() => onSync(source)} />
        <IconButton size="small" icon={Trash2} label={`Read ${source.repository} no more`} refused={refused} onClick={() => onDelete(source)} />
      </>
    ),
  },
];
