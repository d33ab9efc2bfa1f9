import "../issues.css";
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Chip } from "@/ui/facts";
import { Select } from "@/ui/Field";
import { useActions, usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { RunStrip } from "@/ui/RunStrip";
import { EmptyState } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { IssuesContext } from "../IssuesContext";
import { issuesPath, monitorPath } from "../paths";
import { projectsQuery } from "../queries";
import { type Monitor, type MonitorState, monitorsQuery } from "./queries";
import { monitorsSearch } from "./search";
import { StartMonitor } from "./StartMonitor";
import { scheduleWords, stateGlyph, stateWords, stripOf } from "./words";

type Row = { monitor: Monitor; state?: MonitorState };

/** Jobs that must tell that they live, one row per environment, failing ones first. */
export function MonitorsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [search, setSearch] = useUrlState(monitorsSearch);
  const projects = useSuspenseQuery(projectsQuery(team)).data.items;
  const monitors = useSuspenseQuery(monitorsQuery(team, search.project)).data.items;
  const navigate = useNavigate();
  usePage({ title: "Monitors", crumbs: [{ label: "Issues", to: issuesPath(team) }, { label: "Monitors" }] });
  const start = () => setSearch({ how: "curl" }, { push: true });
  useActions([{ id: "monitors.start", label: "Start a monitor", group: "This page", icon: Plus, also: "cron heartbeat", run: start }]);
  const rows = rowsOf(monitors);
  const failing = rows.filter(({ state }) => state?.status === "failing").length;
  const how = <StartMonitor team={team} projects={projects} project={search.project} way={search.how ?? "curl"} onWay={(next) => setSearch({ how: next })} />;
  return (
    <>
      <IssuesContext team={team} project={search.project} />
      <PageHeader
        title="Monitors"
        meta={monitors.length === 0 ? "" : `${plural(monitors.length, "monitor")}${failing > 0 ? `, ${failing} failing` : ", none failing"}`}
        actions={
          <>
            {projects.length > 1 && (
              <Select compact className="issues-pick" aria-label="Project" value={search.project ?? ""} options={[{ value: "", label: "All projects" }, ...projects.map(({ slug }) => ({ value: slug, label: slug }))]} onValue={(project) => setSearch({ project }, { push: true })} />
            )}
            {monitors.length > 0 && (
              <Button icon={Plus} onClick={start}>
                Start a monitor
              </Button>
            )}
          </>
        }
      />
      {monitors.length === 0 ? (
        <EmptyState headline="No monitors yet, because no job checks in" waiting={projects.length > 0 && "Waiting for the first check-in"} more={how}>
          A monitor is a job that tells when it ran. When it fails, takes too long or does not come, that becomes an issue, and whoever is alerted hears of it.
        </EmptyState>
      ) : (
        <>
          <div className="issues-monitors">
            <Table label="Monitors" rows={rows} rowKey={({ monitor, state }) => `${monitor.id}/${state?.environment ?? ""}`} columns={columns(team)} onOpen={({ monitor, state }) => void navigate({ to: monitorPath(team, monitor.id), search: { environment: state?.environment } as never })} keyboard />
          </div>
          <Dialog open={search.how !== undefined} onClose={() => setSearch({ how: undefined })} title="Start a monitor" className="issues-wide" description="Its first check-in makes it appear here.">
            {how}
          </Dialog>
        </>
      )}
    </>
  );
}

const rank = ({ state, monitor }: Row) => (state?.status === "failing" ? (monitor.muted ? 1 : 0) : 2);

function rowsOf(monitors: Monitor[]): Row[] {
  const rows = monitors.flatMap((monitor): Row[] => (monitor.environments.length === 0 ? [{ monitor }] : monitor.environments.map((state) => ({ monitor, state }))));
  return rows.toSorted((a, b) => rank(a) - rank(b));
}

const columns = (team: string): Column<Row>[] => [
  {
    key: "name",
    head: "Monitor",
    lead: true,
    cell: ({ monitor, state }) => (
      <span className="line">
        <StatusGlyph status={state ? stateGlyph(state, monitor.muted) : "pending"} />
        <Link className="title clip" to={monitorPath(team, monitor.id)} search={(state ? { environment: state.environment } : {}) as never}>
          {monitor.slug}
        </Link>
        {state && <Chip>{state.environment}</Chip>}
        {monitor.muted && <Chip>muted</Chip>}
      </span>
    ),
  },
  { key: "state", head: "State", width: 150, cell: ({ state }) => (state ? stateWords(state) : "waiting") },
  { key: "schedule", head: "Schedule", width: 190, cell: ({ monitor }) => <span className="loc clip" title={scheduleWords(monitor)}>{scheduleWords(monitor)}</span> },
  { key: "project", head: "Project", width: 110, cell: ({ monitor }) => <span className="clip">{monitor.project.slug}</span> },
  { key: "last", head: "Last", said: "last", width: 96, cell: ({ state }) => (state?.last_at ? <RelativeTime at={state.last_at} /> : <span className="muted">never</span>) },
  { key: "next", head: "Next", said: "next", width: 96, cell: ({ state }) => (state?.next_at ? <RelativeTime at={state.next_at} /> : <span className="muted">–</span>) },
  { key: "strip", head: "Last 30", width: 214, end: true, cell: ({ monitor, state }) => <RunStrip bars={stripOf(state?.recent ?? [])} slots={30} label={`${monitor.slug}, last check-ins`} /> },
];
