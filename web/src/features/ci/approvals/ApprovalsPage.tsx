import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Check, X } from "lucide-react";
import { useState } from "react";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { useOperatorRefusal } from "../acts";
import { buildPath, wallPath } from "../paths";
import { DecideDialog, type Deciding } from "./DecideDialog";
import { type Approval, approvalsQuery } from "./queries";

/** What waits for somebody's word, and what was decided. */
export function ApprovalsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const waiting = useSuspenseQuery(approvalsQuery(team, "waiting")).data.items;
  const decided = useSuspenseQuery(approvalsQuery(team, "decided")).data.items;
  const [deciding, setDeciding] = useState<Deciding | null>(null);
  const refused = useOperatorRefusal(team);
  usePage({ title: "Approvals", crumbs: [{ label: "Pipelines", to: wallPath(team) }, { label: "Approvals" }] });
  return (
    <>
      <PageHeader title="Approvals" meta={waiting.length === 0 ? `nothing waits in ${team}` : `${plural(waiting.length, "build waits", "builds wait")} for a person`} />
      {waiting.length === 0 ? (
        <EmptyState headline="No build waits for approval">A put to a resource of the type approval stops a build here until somebody approves or rejects it.</EmptyState>
      ) : (
        <Table label="Waiting" rows={waiting} rowKey={({ id }) => id} columns={[...named(team), ...open(refused, setDeciding)]} />
      )}
      {decided.length > 0 && (
        <section aria-label="Decided">
          <h2>Decided</h2>
          <Table label="Decided" rows={decided} rowKey={({ id }) => id} columns={[...named(team), ...closed]} />
        </section>
      )}
      <DecideDialog deciding={deciding} onClose={() => setDeciding(null)} />
    </>
  );
}

const named = (team: string): Column<Approval>[] => [
  {
    key: "build",
    head: "Build",
    lead: true,
    cell: (one) => (
      <a className="title" href={buildPath(team, { ...one.build, pipeline: one.pipeline, job: one.job })}>
        {one.pipeline.name}/{one.job.name} #{one.build.name}
      </a>
    ),
  },
  { key: "step", head: "Step", width: 160, cell: (one) => one.name },
];

const open = (refused: string | false, decide: (d: Deciding) => void): Column<Approval>[] => [
  { key: "who", head: "Who may decide", width: 220, cell: (one) => one.approvers.join(", ") || "whoever may run jobs" },
  { key: "until", head: "Runs out", width: 140, cell: (one) => <RelativeTime at={one.expires_at} /> },
  {
    key: "acts",
    head: "",
    width: 220,
    cell: (one) => (
      <span className="flex gap-2">
        <Button size="small" icon={Check} refused={refused || one.refusal || false} onClick={() => decide({ approval: one, approve: true })}>
          Approve
        </Button>
        <Button size="small" icon={X} refused={refused} onClick={() => decide({ approval: one, approve: false })}>
          Reject
        </Button>
      </span>
    ),
  },
];

const closed: Column<Approval>[] = [
  { key: "state", head: "Outcome", width: 220, cell: (one) => (one.decided_by ? `${one.state} by ${one.decided_by}` : one.state) },
  { key: "reason", head: "Reason", cell: (one) => one.reason },
  { key: "at", head: "When", width: 140, cell: (one) => <RelativeTime at={one.decided_at ?? one.expires_at} /> },
];
