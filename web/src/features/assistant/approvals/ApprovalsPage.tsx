import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { AssistantContext } from "../AssistantContext";
import { mcpCommand } from "../commands";
import { assistantPath, settingsPath } from "../paths";
import { ApprovalCard } from "./ApprovalCard";
import { approvalPath } from "./paths";
import { type Approval, approvalsQuery } from "./queries";
import { headline, standing } from "./words";

/** What the assistant would do and may not without a person, and what became of it. */
export function ApprovalsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const waiting = useSuspenseQuery(approvalsQuery(team, "waiting")).data.items;
  const decided = useSuspenseQuery(approvalsQuery(team, "decided")).data.items;
  const url = useSession().public_url;
  usePage({ title: "Changes it proposes", crumbs: [{ label: "Assistant", to: assistantPath(team) }, { label: "Changes it proposes" }], status: waiting.length > 0 ? "paused" : undefined });
  return (
    <>
      <AssistantContext team={team} />
      <PageHeader
        title="Changes it proposes"
        status={waiting.length > 0 ? "paused" : undefined}
        meta={waiting.length > 0 ? `${plural(waiting.length, "call waits", "calls wait")} for a person` : "nothing waits"}
      />
      {waiting.length === 0 && (
        <EmptyState headline="Nothing waits for approval" small={decided.length > 0} command={decided.length > 0 ? undefined : mcpCommand(url)} filled={[url]} commandLabel="Add to an MCP client">
          Where an <Link className="link underline" to={settingsPath(team)}>owner allows it</Link>, the assistant and MCP clients propose changes, such as running a build again. They stand here until somebody who may do it approves or denies them, for 15
          minutes.
        </EmptyState>
      )}
      {waiting.length > 0 && (
        <div className="pane assistant-approvals">
          {waiting.map((one) => (
            <ApprovalCard key={one.id} team={team} approval={one} />
          ))}
        </div>
      )}
      {decided.length > 0 && (
        <section aria-label="Decided">
          <div className="pane section-head">
            <h2>Decided</h2>
          </div>
          <Table label="Decided" rows={decided} rowKey={({ id }) => id} columns={columns(team)} />
        </section>
      )}
    </>
  );
}

const columns = (team: string): Column<Approval>[] => [
  {
    key: "what",
    head: "What",
    lead: true,
    cell: (one) => (
      <Link className="title" to={approvalPath(team, one.id)}>
        {headline(one)}
      </Link>
    ),
  },
  { key: "outcome", head: "Outcome", width: 144, cell: (one) => <Status status={standing(one.state).status} word={standing(one.state).word} /> },
  { key: "proposer", head: "Asked for by", said: "asked for by", width: 128, cell: (one) => one.proposer },
  { key: "by", head: "Decided by", said: "decided by", width: 128, cell: (one) => one.decided_by || <span className="muted">nobody</span> },
  { key: "at", head: "When", width: 104, end: true, cell: (one) => <RelativeTime at={one.decided_at ?? one.expires_at} /> },
];
