import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { asProblem } from "@/api/problem";
import { bytes, count } from "@/format/bytes";
import { RelativeTime } from "@/ui/RelativeTime";
import { numberOr, params } from "@/ui/schema";
import { Segmented } from "@/ui/Segmented";
import { SkeletonRows } from "@/ui/Skeleton";
import { EmptyState, ErrorState, Notice } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { HourBars } from "../chart/HourBars";
import { ingestQuery, type Project, type ProjectIngest } from "../queries";
import { outcomes, reasonWords } from "./outcomes";
import { ProjectHeader } from "./ProjectHeader";
import { Quotas } from "./Quotas";
import { useProject } from "./useProject";

const intakeSearch = params({ hours: numberOr(24) });

/** What became of what clients sent. */
export function IntakePage() {
  const { team, project } = useProject();
  const [{ hours }, setSearch] = useUrlState(intakeSearch);
  const { data, error, refetch } = useQuery({ ...ingestQuery(project.id, hours), placeholderData: keepPreviousData });
  const span = (
    <Segmented
      label="Time"
      value={String(hours)}
      onChange={(next) => setSearch({ hours: Number(next) })}
      options={[
        { value: "24", label: "24 h" },
        { value: "168", label: "7 d" },
        { value: "720", label: "30 d" },
      ]}
    />
  );
  return (
    <>
      <ProjectHeader team={team} project={project} page="Intake" actions={span} />
      {error ? (
        <ErrorState what="The counters cannot be read" why={asProblem(error).message} requestId={asProblem(error).requestId} onRetry={() => void refetch()} />
      ) : data ? (
        <Numbers project={project} ingest={data} />
      ) : (
        <SkeletonRows rows={6} />
      )}
    </>
  );
}

function Numbers({ project, ingest }: { project: Project; ingest: ProjectIngest }) {
  const total = (name: (typeof outcomes)[number]["key"]) => ingest.hours.reduce((sum, hour) => sum + hour[name], 0);
  const full = ingest.room_bytes > 0 && ingest.waiting_bytes / (ingest.waiting_bytes + ingest.room_bytes) > 0.5;
  if (ingest.reasons.length === 0) {
    return (
      <EmptyState small headline="Nothing came in this time">
        Every request of a client is counted here, also those that were refused, with the reason.
      </EmptyState>
    );
  }
  return (
    <div className="pane grid gap-5 grid-cols-[minmax(0,1fr)]">
      {total("limited") > 0 && <Notice kind="warn">{count(total("limited"))} items were over a limit and are lost. Raise the limits of the project or of its keys, or send less.</Notice>}
      {full && <Notice kind="warn">{bytes(ingest.waiting_bytes)} wait to be read; when {bytes(ingest.room_bytes)} more have come, clients are told to wait.</Notice>}
      <dl className="issues-facts figures">
        {outcomes.map(({ key, label }) => (
          <div key={key}>
            <dt className="micro">{label}</dt>
            <dd>{count(total(key))}</dd>
          </div>
        ))}
        <div>
          <dt className="micro">Waiting</dt>
          <dd>{bytes(ingest.waiting_bytes)}</dd>
        </div>
      </dl>
      <Quotas project={project} />
      <HourBars
        title="By hour"
        meta="items"
        hours={ingest.hours.map(({ hour }) => Date.parse(hour) / 1000)}
        series={outcomes.map(({ key, label, colour }) => ({ label: label.toLowerCase(), colour, values: ingest.hours.map((hour) => hour[key]) }))}
        height={180}
      />
      <section aria-label="By reason">
        <div className="section-head">
          <h2>By reason</h2>
        </div>
        <Table label="Reasons" rows={ingest.reasons} rowKey={({ outcome, reason, category }) => `${outcome}/${reason}/${category}`} columns={reasonColumns} keyboard />
      </section>
      {ingest.rejected.length > 0 && (
        <section aria-label="Put aside">
          <div className="section-head">
            <h2>Put aside</h2>
            <span className="meta">the last items that could not be read</span>
          </div>
          <Table label="Put aside" rows={ingest.rejected} rowKey={({ event_id, received_at, reason }) => event_id + received_at + reason} columns={rejectedColumns} />
        </section>
      )}
    </div>
  );
}

const reasonColumns: Column<ProjectIngest["reasons"][number]>[] = [
  { key: "outcome", head: "Outcome", lead: true, width: 140, cell: ({ outcome }) => <span className="title">{outcome}</span> },
  { key: "category", head: "Category", width: 160, cell: ({ category }) => category },
  { key: "reason", head: "Why", cell: ({ reason }) => reasonWords(reason) },
  { key: "quantity", head: "Items", said: "items", width: 120, number: true, sort: (a, b) => a.quantity - b.quantity, cell: ({ quantity }) => count(quantity) },
];

const rejectedColumns: Column<ProjectIngest["rejected"][number]>[] = [
  { key: "reason", head: "Why", lead: true, cell: ({ reason }) => <span title={reason}>{reason}</span> },
  { key: "type", head: "Item", width: 120, cell: ({ item_type: type }) => type },
  { key: "client", head: "Client", width: 200, cell: ({ client }) => <span className="loc">{client || "–"}</span> },
  { key: "at", head: "Received", width: 120, cell: ({ received_at: at }) => <RelativeTime at={at} /> },
];
