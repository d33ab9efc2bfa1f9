import { useSuspenseQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Eye, Rocket } from "lucide-react";
import { useState } from "react";
import { refusal, useSession } from "@/api/session";
import { count, plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { EdgeFrame } from "../EdgeFrame";
import { rolloutLook } from "../looks";
import { newPolicyPath, rolloutPath } from "../paths";
import { policiesQuery } from "../policies/queries";
import { rolloutsQuery } from "../queries";
import { call, change } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { Bar } from "./Bar";
import type { RolloutItem } from "./queries";
import { StartRollout } from "./StartRollout";

const noPolicy = "Write a policy first: it says which nodes, when and how.";

/** Bundles on their way to nodes, and those that arrived. */
export function RolloutsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [before, setBefore] = useState(0);
  const first = useSuspenseQuery(rolloutsQuery(team)).data;
  const older = useQuery({ ...rolloutsQuery(team, "", before), enabled: before > 0 }).data;
  const found = before > 0 && older ? older : first;
  const policies = useQuery(policiesQuery(team)).data?.items ?? [];
  const refused = refusal(useSession(), team, "member") || (policies.length === 0 && noPolicy);
  const [starting, setStarting] = useState(false);
  const navigate = useNavigate();
  const policy = policies.length > 0;
  useActions([
    { id: "edge.rollout.simulate", label: "Simulate a rollout", group: "This page", keys: "s", icon: Eye, refused: !policy && noPolicy, run: () => setStarting(true) },
    { id: "edge.rollout.start", label: "New rollout", group: "This page", keys: "c", icon: Rocket, refused, run: () => setStarting(true) },
  ]);
  const running = first.items.filter(({ state }) => state === "running").length;
  const start = (
    <Button kind="primary" icon={Rocket} refused={refused} tip="c" onClick={() => setStarting(true)}>
      New rollout
    </Button>
  );
  return (
    <EdgeFrame team={team} title="Rollouts" meta={first.items.length === 0 ? "none yet" : running > 0 ? `${count(running)} running` : "none is running"} actions={start}>
      {first.items.length === 0 ? (
        <EmptyState headline="Nothing is rolled out yet" actions={policies.length > 0 ? start : <Button kind="primary" onClick={() => void navigate({ to: newPolicyPath(team) })}>
              Write a policy
            </Button>}>
          A policy chooses nodes, hours and batches; a rollout brings its bundle to them, batch by batch, and pauses by itself when too many fail. Before it begins you see which nodes it reaches and which it leaves out.
        </EmptyState>
      ) : (
        <>
          <Table label="Rollouts" columns={columns(team)} rows={found.items} rowKey={({ id }) => id} onOpen={({ id }) => void navigate({ to: rolloutPath(team, id) })} keyboard />
          <p className="pane line">
            {before > 0 && <Button onClick={() => setBefore(0)}>Newest</Button>}
            {found.next > 0 && <Button onClick={() => setBefore(found.next)}>Older</Button>}
          </p>
        </>
      )}
      <FromShell command={(url) => (policies[0] ? change(url, "POST", "rollouts", { team, policy: policies[0].id, reason: "why" }) : call(url, "rollouts", { team }))} />
      {starting && <StartRollout team={team} policies={policies} onClose={() => setStarting(false)} />}
    </EdgeFrame>
  );
}

const columns = (team: string): Column<RolloutItem>[] => [
  {
    key: "number",
    head: "Rollout",
    lead: true,
    width: "26%",
    cell: ({ id, number, bundle, policy }) => (
      <>
        <Link className="title" to={rolloutPath(team, id)}>
          #{number} {bundle}
        </Link>{" "}
        <span className="meta">{policy}</span>
      </>
    ),
  },
  {
    key: "state",
    head: "State",
    width: 150,
    cell: ({ state }) => {
      const { status, word } = rolloutLook(state);
      return <Status status={status} word={word} />;
    },
  },
  { key: "bar", head: "Nodes", cell: ({ counts, total }) => <Bar counts={counts} label={plural(total, "node")} /> },
  { key: "total", head: "All", said: "nodes", width: 72, number: true, cell: ({ total }) => count(total) },
  { key: "failures", head: "Failed", said: "failed", width: 72, number: true, cell: ({ failures }) => (failures > 0 ? <b className="failed">{count(failures)}</b> : <span className="muted">0</span>) },
  { key: "by", head: "By", said: "by", width: 110, cell: ({ created_by: by }) => by },
  { key: "at", head: "Began", said: "began", width: 120, cell: ({ created_at: at }) => (at ? <RelativeTime at={at} /> : "–") },
];
