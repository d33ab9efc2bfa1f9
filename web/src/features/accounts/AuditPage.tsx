import { useQuery } from "@tanstack/react-query";
import { useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { Select } from "@/ui/Field";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { auditSearch, inWords } from "./audit";
import { FindField } from "./FindField";
import { type AuditEntry, auditQuery } from "./queries";

const columns: Column<AuditEntry>[] = [
  { key: "at", head: "When", width: 112, cell: (entry) => <RelativeTime at={entry.at} /> },
  { key: "actor", head: "Who", width: 144, cell: (entry) => <span className="title">{entry.actor}</span> },
  {
    key: "action",
    head: "Did",
    lead: true,
    cell: (entry) => (
      <>
        {entry.action} <b>{entry.object}</b> <span className="muted">{inWords(entry.detail)}</span>
      </>
    ),
  },
  { key: "team", head: "Team", width: 128, cell: (entry) => entry.team || "–" },
  { key: "ip", head: "From", width: 144, end: true, cell: (entry) => <span className="mono">{entry.address || "–"}</span> },
];

/** Who changed what, when and from where. */
export function AuditPage() {
  const [filter, setFilter] = useUrlState(auditSearch);
  const { data, isFetching } = useQuery({ ...auditQuery(filter), placeholderData: (before) => before, throwOnError: true });
  const me = useSession();
  usePage({ title: "Audit log", crumbs: [me.user.is_admin ? { label: "System", to: "/admin" } : { label: "Settings" }, { label: "Audit log" }] });
  const filtered = Boolean(filter.q || filter.team || filter.before);
  const teams = [{ value: "", label: "All teams" }, ...me.teams.map(({ name }) => ({ value: name, label: name }))];
  const clear = () => setFilter({ q: undefined, team: undefined, before: undefined });
  return (
    <>
      <PageHeader title="Audit log" meta={filter.before ? "older entries" : "every change, with who and from where"} />
      <div className="toolbar">
        <FindField label="Search the audit log" placeholder="who, what, from where" value={filter.q ?? ""} onFind={(q) => setFilter({ q: q || undefined, before: undefined })} busy={isFetching} />
        <Select compact aria-label="Team" className="w-44" value={filter.team ?? ""} options={teams} onValue={(team) => setFilter({ team: team || undefined, before: undefined })} />
      </div>
      {data?.items.length === 0 ? (
        <EmptyState
          headline={filtered ? "Nothing matches" : "Nothing has been changed yet"}
          actions={filtered && <Button onClick={clear}>Show everything</Button>}
          small={filtered}
        >
          {filtered ? "No entry has these words in it, in this team." : "Each change of people, teams, secrets, tokens and pipelines will be a line here."}
        </EmptyState>
      ) : (
        <Table label="Audit log" columns={columns} rows={data?.items} rowKey={(entry) => entry.id} keyboard />
      )}
      <div className="pane line">
        {filter.before && <Button onClick={() => setFilter({ before: undefined }, { push: true })}>Newest</Button>}
        {data?.next && <Button onClick={() => setFilter({ before: Number(data.next) }, { push: true })}>Older</Button>}
      </div>
    </>
  );
}
