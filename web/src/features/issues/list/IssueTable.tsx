import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { count } from "@/format/bytes";
import { Avatar, Chip } from "@/ui/facts";
import { RunStrip } from "@/ui/RunStrip";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useNow } from "@/ui/useNow";
import { issuePath } from "../paths";
import type { IssueItem } from "../queries";
import { age, badge, issueGlyph } from "../words";

type Props = {
  team: string;
  issues: IssueItem[] | undefined;
  selected: ReadonlySet<string>;
  onSelect: (selected: Set<string>) => void;
  onOpen: (issue: IssueItem) => void;
};

/** The list: 32 px a row, the newest hour of all rows in one line at the right. */
export function IssueTable({ team, issues, selected, onSelect, onOpen }: Props) {
  const now = useNow(true, 10);
  const columns = useMemo(() => issueColumns(team, now, selected, onSelect), [team, now, selected, onSelect]);
  return (
    <div className="issues-table">
      <Table label="Issues" rows={issues} rowKey={rowKey} columns={columns} selected={selected} onSelect={onSelect} onOpen={onOpen} keyboard />
    </div>
  );
}

const rowKey = ({ id }: IssueItem) => String(id);

function issueColumns(team: string, now: number, selected: ReadonlySet<string>, onSelect: (selected: Set<string>) => void): Column<IssueItem>[] {
  const toggle = (issue: IssueItem) => {
    const next = new Set(selected);
    if (!next.delete(rowKey(issue))) next.add(rowKey(issue));
    onSelect(next);
  };
  return [
    {
      key: "title",
      head: "Issue",
      lead: true,
      cell: (issue) => (
        <span className="line">
          <i className={`level ${issue.level}`} title={issue.level} />
          <input type="checkbox" className="check" aria-label={`Mark ${issue.short_id}`} checked={selected.has(rowKey(issue))} onChange={() => toggle(issue)} />
          {issue.state !== "unresolved" && <StatusGlyph status={issueGlyph(issue)} label={issue.state} />}
          <Link className="title clip" to={issuePath(team, issue.id)} title={issue.title}>
            <span className="sr">{issue.level}: </span>
            {issue.title}
          </Link>
          <Badge issue={issue} />
        </span>
      ),
    },
    { key: "id", head: "Id", width: 104, cell: (issue) => <span className="loc">{issue.short_id}</span> },
    { key: "where", head: "Where", width: 148, cell: ({ culprit }) => <span className="loc" title={culprit}>{culprit || "–"}</span> },
    { key: "events", head: "Events", said: "events", width: 92, number: true, cell: ({ events }) => count(events) },
    { key: "users", head: "Users", said: "users", width: 76, number: true, cell: ({ users, users_estimated: about }) => (about ? `~${count(users)}` : count(users)) },
    { key: "first", head: "First", said: "first", width: 56, number: true, cell: ({ first_seen: at }) => <Age at={at} now={now} /> },
    { key: "last", head: "Last", said: "last", width: 56, number: true, cell: ({ last_seen: at }) => <Age at={at} now={now} /> },
    {
      key: "owner",
      head: "Owner",
      width: 88,
      cell: ({ assignee }) =>
        assignee ? (
          <span className="line">
            <Avatar small name={assignee} />
            <span className="clip">{assignee}</span>
          </span>
        ) : (
          <span className="muted desk">–</span>
        ),
    },
    { key: "strip", head: "24 h", width: 160, end: true, cell: (issue) => <RunStrip bars={strip(issue.sparkline)} slots={24} label="events per hour, last 24 hours" /> },
  ];
}

export const strip = (hours: number[]) => hours.map((value) => ({ status: "count" as const, value }));

export function Badge({ issue }: { issue: Pick<IssueItem, "state" | "substate"> }) {
  const shown = badge(issue);
  return shown ? <Chip kind={shown.kind}>{shown.word}</Chip> : null;
}

function Age({ at, now }: { at: string; now: number }) {
  return (
    <time className="muted" dateTime={at} title={at}>
      {age(at, now)}
    </time>
  );
}
