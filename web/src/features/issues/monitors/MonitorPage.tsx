import "../issues.css";
import { useInfiniteQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Bell, BellOff, Bug, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { asProblem } from "@/api/problem";
import { duration } from "@/format/duration";
import { Button } from "@/ui/Button";
import { Copyable } from "@/ui/CopyButton";
import { Confirm } from "@/ui/Dialog";
import { Chip } from "@/ui/facts";
import { useActions, usePage, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, ErrorState, Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { useMemberRefusal } from "../acts";
import { IssuesContext } from "../IssuesContext";
import { issuesPath, monitorPath, monitorsPath } from "../paths";
import { percent } from "../releases/words";
import { type CheckIn, checkInsQuery, type Monitor, monitorQuery, type MonitorState } from "./queries";
import { monitorSearch } from "./search";
import { Timeline } from "./Timeline";
import { checkInGlyph, checkInWord, median, scheduleWords, stateGlyph, stateWords, stripOf, tookWords, wellShare } from "./words";

/** One job: whether it lives, when it ran, and how long it took. */
export function MonitorPage() {
  const { team, monitor: id } = useParams({ strict: false }) as { team: string; monitor: string };
  const monitor = useSuspenseQuery(monitorQuery(Number(id))).data;
  const [search, setSearch] = useUrlState(monitorSearch);
  const state = monitor.environments.find(({ environment }) => environment === search.environment) ?? monitor.environments[0];
  const status = state ? stateGlyph(state, monitor.muted) : "pending";
  usePage({ title: monitor.slug, status, crumbs: [{ label: "Issues", to: issuesPath(team) }, { label: "Monitors", to: monitorsPath(team) }, { label: monitor.slug }] });
  const navigate = useNavigate();
  const toIssues = () => void navigate({ to: issuesPath(team), search: { query: `monitor.slug:${monitor.slug}` } as never });
  const here = monitorPath(team, monitor.id);
  return (
    <>
      <IssuesContext team={team} project={monitor.project.slug} />
      <div className="issues-head">
        <PageHeader
          status={status}
          title={monitor.slug}
          meta={
            <span className="line">
              <Copyable text={monitor.slug} />
              {monitor.project.slug}
              {monitor.muted && <Chip>muted</Chip>}
            </span>
          }
          actions={
            <>
              <Button kind="quiet" icon={Bug} onClick={toIssues}>
                Issues
              </Button>
              <Acts team={team} monitor={monitor} />
            </>
          }
          tabsLabel="Environments"
          tabs={monitor.environments.map(({ environment }, at) => ({ label: environment, to: here, search: at === 0 && !search.environment ? {} : { environment } }))}
          strip={state && { bars: stripOf(state.recent), label: "last check-ins" }}
        />
      </div>
      {state ? <Body monitor={monitor} state={state} span={Number(search.span)} onSpan={(hours) => setSearch({ span: String(hours) as "24" })} /> : <EmptyState small headline="Nothing checked in yet">The first check-in says how it does.</EmptyState>}
    </>
  );
}

function Acts({ team, monitor }: { team: string; monitor: Monitor }) {
  const refused = useMemberRefusal(team);
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const [asking, setAsking] = useState(false);
  const refresh = () => Promise.all([client.invalidateQueries({ queryKey: ["issues", "monitor", monitor.id] }), client.invalidateQueries({ queryKey: ["issues", "monitors"] })]);
  const mute = useTask({
    run: (muted: boolean) => data(api.PATCH("/api/v1/issues/monitors/{id}", { params: { path: { id: monitor.id } }, body: { muted } })),
    failed: "The monitor stays as it is.",
    onDone: (_, muted) => {
      void refresh();
      toast({ text: muted ? `Nobody is told of ${monitor.slug} now` : `People are told of ${monitor.slug} again` });
    },
  });
  const remove = useTask({
    run: () => done(api.DELETE("/api/v1/issues/monitors/{id}", { params: { path: { id: monitor.id } } })),
    failed: "The monitor is still there.",
    onDone: () => {
      toast({ text: `${monitor.slug} is deleted` });
      void navigate({ to: monitorsPath(team) }).then(() => client.invalidateQueries({ queryKey: ["issues", "monitors"] }));
    },
  });
  const word = monitor.muted ? "Unmute" : "Mute";
  useActions([
    { id: "monitor.mute", label: word, group: "This monitor", keys: "i", icon: monitor.muted ? Bell : BellOff, refused, run: () => void mute.start(!monitor.muted) },
    { id: "monitor.delete", label: "Delete", group: "This monitor", icon: Trash2, refused, run: () => setAsking(true) },
  ]);
  return (
    <>
      <Button icon={monitor.muted ? Bell : BellOff} busy={mute.busy} refused={refused} tip={monitor.muted ? "i, people are told again when it fails" : "i, no issue is made when it fails"} onClick={() => void mute.start(!monitor.muted)}>
        {word}
      </Button>
      <Button kind="danger" icon={Trash2} refused={refused} onClick={() => setAsking(true)}>
        Delete
      </Button>
      <Confirm open={asking} onClose={() => setAsking(false)} onConfirm={() => void remove.start()} busy={remove.busy} title={`Delete ${monitor.slug}?`} act="Delete">
        Its check-ins in {monitor.environments.length === 1 ? "one environment" : `${monitor.environments.length} environments`} go too. A job that still checks in makes it anew.
      </Confirm>
    </>
  );
}

type BodyProps = { monitor: Monitor; state: MonitorState; span: number; onSpan: (hours: number) => void };

function Body({ monitor, state, span, onSpan }: BodyProps) {
  const pages = useInfiniteQuery(checkInsQuery(monitor.id, state.environment));
  const list = pages.data?.pages.flatMap((page) => page.check_ins);
  const usual = median(list ?? []);
  if (pages.error) return <ErrorState what="The check-ins cannot be listed" why={asProblem(pages.error).message} requestId={asProblem(pages.error).requestId} onRetry={() => void pages.refetch()} />;
  return (
    <>
      <div className="issues-main issues-monitor">
        <dl className="issues-facts">
          <Fact name="State">{stateWords(state)}{state.failing_at && <span className="meta">since <RelativeTime at={state.failing_at} /></span>}</Fact>
          <Fact name="Next expected">{state.next_at ? <RelativeTime at={state.next_at} /> : "nothing is expected"}</Fact>
          <Fact name="Schedule"><span className="mono">{scheduleWords(monitor)}</span></Fact>
          <Fact name="May be late by">{duration(monitor.margin_seconds)}</Fact>
          <Fact name="May take">{duration(monitor.max_runtime_seconds)}</Fact>
          <Fact name="Takes usually">{usual === undefined ? "–" : duration(usual / 1000)}</Fact>
          <Fact name="Went well">{percent(wellShare(list ?? [])) ?? "–"}</Fact>
        </dl>
        {monitor.muted && (
          <div className="pt-4">
            <Notice>Muted: it is watched, but failing makes no issue, and nobody is told.</Notice>
          </div>
        )}
        <Timeline list={list ?? []} more={pages.hasNextPage} span={span} onSpan={onSpan} />
      </div>
      <Table label="Check-ins" rows={list} rowKey={({ id }) => String(id)} columns={columns} keyboard />
      {pages.hasNextPage && (
        <div className="pane">
          <Button busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt className="micro">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const columns: Column<CheckIn>[] = [
  { key: "status", head: "Check-in", lead: true, cell: (one) => <Status status={checkInGlyph(one)} word={checkInWord(one)} /> },
  { key: "at", head: "Began", width: 130, cell: ({ started_at: at }) => <RelativeTime at={at} /> },
  { key: "took", head: "Took", said: "took", width: 110, number: true, cell: (one) => tookWords(one) },
  { key: "expected", head: "Expected", said: "expected", width: 130, cell: ({ expected_at: at }) => (at ? <RelativeTime at={at} /> : <span className="muted">–</span>) },
  { key: "release", head: "Release", width: 180, cell: ({ release }) => <span className="loc clip">{release || "–"}</span> },
];
