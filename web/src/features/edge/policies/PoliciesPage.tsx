import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { FolderGit2, Plus } from "lucide-react";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { EdgeFrame } from "../EdgeFrame";
import { rolloutLook } from "../looks";
import { newPolicyPath, policyPath, policySourcesPath, rolloutPath } from "../paths";
import { call, change } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { policiesQuery, type PolicyItem } from "./queries";

/** Which nodes get what, when and how. */
export function PoliciesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const policies = useSuspenseQuery(policiesQuery(team)).data.items;
  const refused = refusal(useSession(), team, "member");
  const navigate = useNavigate();
  const write = () => void navigate({ to: newPolicyPath(team) });
  useActions([{ id: "edge.policy.new", label: "New policy", group: "This page", keys: "c", icon: Plus, refused, run: write }]);
  const button = (
    <Button kind="primary" icon={Plus} refused={refused} tip="c" onClick={write}>
      New policy
    </Button>
  );
  const git = (
    <Button icon={FolderGit2} onClick={() => void navigate({ to: policySourcesPath(team) })}>
      From Git
    </Button>
  );
  return (
    <EdgeFrame team={team} title="Policies" meta={policies.length > 0 ? plural(policies.length, "policy", "policies") : "none yet"} actions={<>{git}{button}</>}>
      {policies.length === 0 ? (
        <EmptyState headline="No policies yet" actions={<>{button}{git}</>}>
          A policy is a short YAML file: which bundle, which nodes by their labels, in which hours, in batches of what size, and when to stop. It is written here, or comes from a repository.
        </EmptyState>
      ) : (
        <Table label="Policies" columns={columns(team)} rows={policies} rowKey={({ id }) => id} onOpen={({ id }) => void navigate({ to: policyPath(team, id) })} keyboard />
      )}
      <FromShell command={(url) => (policies.length === 0 ? `jq -Rs '{team: "${team}", text: .}' policy.yaml | ${change(url, "POST", "policies")} --json @-` : call(url, "policies", { team }))} />
    </EdgeFrame>
  );
}

const columns = (team: string): Column<PolicyItem>[] => [
  {
    key: "name",
    head: "Policy",
    lead: true,
    sort: (a, b) => a.name.localeCompare(b.name),
    cell: ({ id, name, problem, source }) => (
      <>
        <Link className="title" to={policyPath(team, id)}>
          {name}
        </Link>{" "}
        {source && <span className="meta">from {source.repository}</span>}
        {problem && <span className="meta block failed">{problem}</span>}
      </>
    ),
  },
  { key: "bundle", head: "Bundle", said: "bundle", width: "17%", cell: ({ bundle }) => bundle },
  { key: "selector", head: "Nodes", said: "nodes", width: "20%", cell: ({ selector }) => <code title={selector}>{selector}</code> },
  { key: "window", head: "Hours", said: "in", width: "16%", cell: ({ window, timezone }) => (window ? <span title={`${window} ${timezone}`}>{`${window} ${timezone}`}</span> : <span className="muted">any</span>) },
  {
    key: "rollout",
    head: "Rollout",
    width: 150,
    cell: ({ rollout, wanted }) =>
      rollout ? (
        <Link to={rolloutPath(team, rollout.id)}>
          <Status {...rolloutLook(rollout.state)} />
        </Link>
      ) : (
        <span className="muted">{wanted ? "once published" : "none yet"}</span>
      ),
  },
  { key: "changed", head: "Changed", said: "changed", width: 120, sort: (a, b) => Date.parse(a.changed_at) - Date.parse(b.changed_at), cell: ({ changed_at: at }) => <RelativeTime at={at} /> },
];
