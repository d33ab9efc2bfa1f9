import { Link } from "@tanstack/react-router";
import { count } from "@/format/bytes";
import { RunStrip } from "@/ui/RunStrip";
import { RelativeTime } from "@/ui/RelativeTime";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { issuePath } from "../paths";
import type { IssueItem } from "../queries";
import { issueGlyph } from "../words";
import { Badge, strip } from "./IssueTable";

/** A short list of issues inside another page. */
export function IssueRows({ team, label, issues }: { team: string; label: string; issues: IssueItem[] }) {
  if (issues.length === 0) return null;
  return <Table label={label} rows={issues} rowKey={({ id }) => String(id)} columns={columns(team)} />;
}

const columns = (team: string): Column<IssueItem>[] => [
  {
    key: "title",
    head: "Issue",
    lead: true,
    cell: (issue) => (
      <span className="line">
        <StatusGlyph status={issueGlyph(issue)} label={issue.state === "unresolved" ? issue.level : issue.state} />
        <Link className="title clip" to={issuePath(team, issue.id)} title={issue.title}>
          {issue.title}
        </Link>
        <Badge issue={issue} />
      </span>
    ),
  },
  { key: "events", head: "Events", said: "events", width: 92, number: true, cell: ({ events }) => count(events) },
  { key: "users", head: "Users", said: "users", width: 76, number: true, cell: ({ users }) => count(users) },
  { key: "last", head: "Last", width: 96, cell: ({ last_seen: at }) => <RelativeTime at={at} /> },
  { key: "strip", head: "24 h", width: 168, end: true, cell: (issue) => <RunStrip bars={strip(issue.sparkline)} slots={24} label="events per hour, last 24 hours" /> },
];
