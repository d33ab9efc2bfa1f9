import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Check, X } from "lucide-react";
import { useState } from "react";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useActions, usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useOperatorRefusal } from "../acts";
import { buildPath, wallPath } from "../paths";
import { WallContext } from "../wall/WallContext";
import { DecideDialog, type Deciding } from "./DecideDialog";
import { ForkCards } from "./ForkCards";
import { type Approval, approvalsQuery } from "./queries";
import { approvalSnippet, isFork, outcome, title } from "./words";

/** What waits for somebody's word, and what was decided. */
export function ApprovalsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const waiting = useSuspenseQuery(approvalsQuery(team, "waiting")).data.items;
  const closedOnes = useSuspenseQuery(approvalsQuery(team, "decided")).data.items;
  const [deciding, setDeciding] = useState<Deciding | null>(null);
  const navigate = useNavigate();
  const role = useOperatorRefusal(team);
  const memberRole = refusal(useSession(), team, "member");
  const forks = waiting.filter(isFork);
  const builds = waiting.filter((one) => !isFork(one));
  const first = waiting[0];
  const refused = (one: Approval) => (isFork(one) ? memberRole || one.refusal || false : role);
  const open = (one: Approval) => void (isFork(one) ? window.open(one.fork.url, "_blank", "noreferrer") : navigate({ to: path(team, one) }));
  usePage({ title: "Approvals", crumbs: [{ label: "Pipelines", to: wallPath(team) }, { label: "Approvals" }], status: first ? "paused" : undefined });
  useActions(
    waiting.flatMap((approval) => [
      { id: `approve.${approval.id}`, label: `Approve ${title(approval)}`, group: "This page", icon: Check, refused: refused(approval) || approval.refusal || false, run: () => setDeciding({ approval, approve: true }) },
      { id: `reject.${approval.id}`, label: `Reject ${title(approval)}`, group: "This page", icon: X, refused: refused(approval), run: () => setDeciding({ approval, approve: false }) },
    ]),
  );
  return (
    <>
      <WallContext team={team} />
      <PageHeader title="Approvals" status={first ? "paused" : undefined} meta={said(builds.length, forks.length, team)} />
      {forks.length > 0 && <ForkCards items={forks} role={memberRole} onDecide={setDeciding} />}
      {builds.length > 0 && <Table label="Waiting" rows={builds} rowKey={({ id }) => id} columns={[...named(team), ...waits(role, setDeciding)]} onOpen={open} keyboard />}
      {!first && (
        <EmptyState headline="No build waits for approval" command={approvalSnippet} filled={["type: approval", "put: production"]} commandLabel="Snippet" small={closedOnes.length > 0}>
          A put to a resource of the type <code>approval</code> stops a build until somebody approves or rejects it. It holds no worker meanwhile, and survives restarts.
        </EmptyState>
      )}
      {closedOnes.length > 0 && (
        <section aria-label="Decided">
          <div className="pane section-head">
            <h2>Decided</h2>
          </div>
          <Table label="Decided" rows={closedOnes} rowKey={({ id }) => id} columns={[...named(team), ...closed]} onOpen={open} />
        </section>
      )}
      <DecideDialog deciding={deciding} onClose={() => setDeciding(null)} />
    </>
  );
}

const path = (team: string, one: Approval) => buildPath(team, { ...one.build, pipeline: one.pipeline, job: one.job });

function said(builds: number, forks: number, team: string): string {
  const parts = [builds > 0 && plural(builds, "build waits", "builds wait"), forks > 0 && plural(forks, "commit of a fork waits", "commits of forks wait")].filter(Boolean);
  return parts.length > 0 ? `${parts.join(", ")} for a person, the longest first` : `nothing waits in ${team}`;
}

const named = (team: string): Column<Approval>[] => [
  {
    key: "build",
    head: "Build",
    lead: true,
    cell: (one) =>
      isFork(one) ? (
        <a className="title" href={one.fork.url} target="_blank" rel="noreferrer" title={one.fork.title}>
          {title(one)}
        </a>
      ) : (
        <Link className="title" to={path(team, one)}>
          {title(one)}
        </Link>
      ),
  },
  { key: "step", head: "Step", width: 144, cell: (one) => one.name },
  { key: "by", head: "Started by", said: "started by", width: 128, cell: (one) => one.created_by || <span className="muted">a new version</span> },
];

const waits = (role: string | false, decide: (d: Deciding) => void): Column<Approval>[] => [
  { key: "who", head: "Who may decide", said: "for", width: 184, cell: (one) => one.approvers.join(", ") || "whoever may run jobs" },
  { key: "since", head: "Waits since", said: "waits since", width: 104, cell: (one) => <RelativeTime at={one.asked_at} /> },
  { key: "until", head: "Runs out", said: "runs out", width: 104, cell: (one) => <RelativeTime at={one.expires_at} /> },
  {
    key: "acts",
    head: <span className="sr">Actions</span>,
    width: 200,
    end: true,
    cell: (one) => (
      <span className="line justify-end">
        <Button size="small" kind="primary" icon={Check} refused={role || one.refusal || false} aria-label={`Approve ${title(one)}`} onClick={() => decide({ approval: one, approve: true })}>
          Approve
        </Button>
        <Button size="small" kind="danger" icon={X} refused={role} aria-label={`Reject ${title(one)}`} onClick={() => decide({ approval: one, approve: false })}>
          Reject
        </Button>
      </span>
    ),
  },
];

const closed: Column<Approval>[] = [
  {
    key: "state",
    head: "Outcome",
    width: 200,
    cell: (one) => <Status {...outcome(one)} />,
  },
  { key: "reason", head: "Reason", cell: (one) => (one.reason ? <span title={one.reason}>{one.reason}</span> : <span className="muted">none given</span>) },
  { key: "at", head: "When", width: 104, end: true, cell: (one) => <RelativeTime at={one.decided_at ?? one.expires_at} /> },
];
