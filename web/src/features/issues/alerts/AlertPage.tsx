import "../issues.css";
import { useInfiniteQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { asProblem } from "@/api/problem";
import { useSession } from "@/api/session";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Chip } from "@/ui/facts";
import { Switch } from "@/ui/Field";
import { useActions, usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, ErrorState, Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { useMemberRefusal } from "../acts";
import { IssuesContext } from "../IssuesContext";
import { ExternalAddress } from "../links/ExternalAddress";
import { alertPath, alertsPath, eventPath, issuePath, issuesPath } from "../paths";
import { useAlertActs } from "./acts";
import { AlertEditor } from "./AlertEditor";
import { deliveryGlyph, deliveryWord, ownPath } from "./form";
import { type Alert, type AlertFiring, alertQuery, firingsQuery } from "./queries";
import { alertSearch } from "./search";

/** One rule: when it told whom of what, and its words. */
export function AlertPage() {
  const { team, alert: id } = useParams({ strict: false }) as { team: string; alert: string };
  const alert = useSuspenseQuery(alertQuery(Number(id))).data;
  const [{ tab }, setSearch] = useUrlState(alertSearch);
  const refused = useMemberRefusal(team);
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const { toggle, test, remove } = useAlertActs(team, { tested: () => setSearch({ tab: undefined }), deleted: () => void navigate({ to: alertsPath(team) }) });
  const here = alertPath(team, alert.id);
  usePage({ title: alert.name, crumbs: [{ label: "Issues", to: issuesPath(team) }, { label: "Alerts", to: alertsPath(team) }, { label: alert.name }] });
  useActions([{ id: "alert.test", label: "Send a test", group: "This alert", keys: "t", icon: Send, refused, run: () => void test.start(alert) }]);
  return (
    <>
      <IssuesContext team={team} project={alert.project?.slug} />
      <div className="issues-head">
        <PageHeader
          status={!alert.enabled ? "paused" : alert.problem ? "errored" : "succeeded"}
          title={alert.name}
          meta={alert.project?.slug ?? "all projects"}
          actions={
            <>
              <Switch on={alert.enabled} label={alert.enabled ? "on" : "off"} name="The rule is on" disabled={Boolean(refused)} onChange={(on) => void toggle.start(alert, on)} />
              <Button icon={Send} busy={test.busy} refused={refused} tip="t" onClick={() => void test.start(alert)}>
                Send a test
              </Button>
              <IconButton icon={Trash2} label="Delete the alert" refused={refused} onClick={() => setAsking(true)} />
            </>
          }
          tabs={[
            { label: "History", to: here, search: {} },
            { label: "Rule", to: here, search: { tab: "rule" } },
          ]}
        />
      </div>
      {tab === "rule" ? <AlertEditor key={alert.updated_at} team={team} alert={alert} onSaved={() => setSearch({ tab: "rule" })} /> : <History team={team} alert={alert} />}
      <Confirm open={asking} onClose={() => setAsking(false)} onConfirm={() => void remove.start(alert)} busy={remove.busy} title={`Delete ${alert.name}?`} act="Delete">
        It tells nobody anything more, and this list goes too.
      </Confirm>
    </>
  );
}

function History({ team, alert }: { team: string; alert: Alert }) {
  const pages = useInfiniteQuery(firingsQuery(alert.id));
  const rows = pages.data?.pages.flatMap((page) => page.items);
  const origin = useSession().public_url;
  return (
    <>
      {(alert.problem || !alert.sentence.startsWith(alert.name.replace(/…$/, ""))) && (
        <div className="pane grid gap-3">
          {!alert.sentence.startsWith(alert.name.replace(/…$/, "")) && <p className="issues-said">{alert.sentence}</p>}
          {alert.problem && <Notice kind="warn">{alert.problem}</Notice>}
        </div>
      )}
      {pages.error ? (
        <ErrorState what="The history cannot be read" why={asProblem(pages.error).message} requestId={asProblem(pages.error).requestId} onRetry={() => void pages.refetch()} />
      ) : rows?.length === 0 ? (
        <EmptyState small headline="It has told nobody yet" waiting="Waiting for something to tell">
          Each time it fires is listed here with what became of its messages. The test button sends a marked message now.
        </EmptyState>
      ) : (
        <Table label="History" rows={rows} rowKey={({ id }) => String(id)} columns={columns(team, origin)} keyboard />
      )}
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

const columns = (team: string, origin: string): Column<AlertFiring>[] => [
  {
    key: "what",
    head: "Told of",
    lead: true,
    cell: ({ issue, event_id: event, project, why, test, url }) => {
      const to = issue ? (event ? eventPath(team, issue.id, event) : issuePath(team, issue.id)) : ownPath(url, origin);
      const words = issue ? `${issue.short_id} ${issue.title}` : (project?.slug ?? "the rule itself");
      return (
        <span className="issues-rule-line">
          <span className="min-w-0">
            <span className="line">
              {to && !test ? (
                <Link className="title clip" to={to}>
                  {words}
                </Link>
              ) : (
                <span className="title clip">{words}</span>
              )}
              {test && <Chip>test</Chip>}
            </span>
            <span className="meta block">{why}</span>
          </span>
        </span>
      );
    },
  },
  {
    key: "whom",
    head: "Whom",
    width: 320,
    cell: ({ deliveries }) => (
      <span className="grid gap-1">
        {deliveries.map((one) => (
          <span key={`${one.type}${one.target}`} title={one.error || undefined}>
            <span className="line">
              <Status status={deliveryGlyph(one)} word={deliveryWord(one)} />
              {one.url ? (
                <ExternalAddress className="link clip" url={one.url}>
                  {one.label}
                </ExternalAddress>
              ) : (
                <span className="clip">{one.label}</span>
              )}
            </span>
            {one.error && <span className="meta issues-bad issues-why">{one.error}</span>}
          </span>
        ))}
      </span>
    ),
  },
  { key: "at", head: "When", width: 110, cell: ({ at }) => <RelativeTime at={at} /> },
];
