import "../issues.css";
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Plus, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Switch } from "@/ui/Field";
import { useActions, usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useMemberRefusal } from "../acts";
import { IssuesContext } from "../IssuesContext";
import { alertPath, issuesPath, newAlertPath } from "../paths";
import { useAlertActs } from "./acts";
import { type Alert, alertsQuery } from "./queries";

/** Who is told of what, as sentences. */
export function AlertsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const alerts = useSuspenseQuery(alertsQuery(team)).data.items;
  const refused = useMemberRefusal(team);
  const navigate = useNavigate();
  const [doomed, setDoomed] = useState<Alert | null>(null);
  const go = (to: string) => void navigate({ to });
  const acts = useAlertActs(team, { tested: ({ id }) => go(alertPath(team, id)), deleted: () => setDoomed(null) });
  usePage({ title: "Alerts", crumbs: [{ label: "Issues", to: issuesPath(team) }, { label: "Alerts" }] });
  useActions([{ id: "alerts.new", label: "New alert", group: "This page", keys: "c", icon: Plus, refused, run: () => go(newAlertPath(team)) }]);
  const broken = alerts.filter(({ enabled, problem }) => enabled && problem).length;
  return (
    <>
      <IssuesContext team={team} />
      <PageHeader
        title="Alerts"
        meta={alerts.length === 0 ? "nobody is told" : `${plural(alerts.length, "rule")}${broken > 0 ? `, ${broken} cannot tell anybody` : ""}`}
        actions={
          <Button kind="primary" icon={Plus} refused={refused} tip="c" onClick={() => go(newAlertPath(team))}>
            New alert
          </Button>
        }
      />
      {alerts.length === 0 ? (
        <EmptyState
          headline="Nobody is told when something breaks"
          actions={
            <Button kind="primary" icon={Plus} refused={refused} onClick={() => go(newAlertPath(team))}>
              Write the first rule
            </Button>
          }
        >
          A rule is a sentence: “When an error is new in prod, send mail to Ops, at most once an hour per issue.” While you write it you see what it would have told in the last seven days. Mail leaves within five seconds, and its link leads to the event.
        </EmptyState>
      ) : (
        <div className="issues-alerts">
          <Table label="Alerts" rows={alerts} rowKey={({ id }) => String(id)} columns={columns(team, refused, acts, setDoomed)} onOpen={({ id }) => go(alertPath(team, id))} keyboard />
        </div>
      )}
      <Confirm open={doomed !== null} onClose={() => setDoomed(null)} onConfirm={() => doomed && void acts.remove.start(doomed)} busy={acts.remove.busy} title={`Delete ${doomed?.name ?? ""}?`} act="Delete">
        {doomed?.actions.map(({ label }) => label).join(", ")} is told nothing more by it, and the list of what it told goes too.
      </Confirm>
    </>
  );
}

function columns(team: string, refused: string | false, { toggle, test }: ReturnType<typeof useAlertActs>, onDelete: (alert: Alert) => void): Column<Alert>[] {
  return [
    {
      key: "sentence",
      head: "Rule",
      lead: true,
      cell: ({ id, name, sentence, enabled, problem }) => (
        <span className="issues-rule-line">
          <StatusGlyph status={!enabled ? "paused" : problem ? "errored" : "succeeded"} label={!enabled ? "off" : problem ? "cannot tell anybody" : "on"} />
          <span className="min-w-0">
            <Link className="title" to={alertPath(team, id)}>
              {sentence}
            </Link>
            <span className="meta block">{problem && enabled ? <span className="issues-bad">{problem}</span> : name !== sentence.replace(/\.$/, "") && name}</span>
          </span>
        </span>
      ),
    },
    { key: "fired", head: "Told last", said: "told", width: 110, cell: ({ fired_at: at }) => (at ? <RelativeTime at={at} /> : <span className="muted">never</span>) },
    { key: "on", head: "On", width: 84, cell: (alert) => <Switch on={alert.enabled} label={alert.enabled ? "on" : "off"} name={`${alert.name} is on`} disabled={Boolean(refused)} onChange={(on) => void toggle.start(alert, on)} /> },
    {
      key: "acts",
      head: <span className="sr">Acts</span>,
      width: 96,
      end: true,
      cell: (alert) => (
        <span className="actions justify-end">
          <IconButton size="small" icon={Send} label={`Send a test of ${alert.name}`} busy={test.busy} refused={refused} onClick={() => void test.start(alert)} />
          <IconButton size="small" icon={Trash2} label={`Delete ${alert.name}`} refused={refused} onClick={() => onDelete(alert)} />
        </span>
      ),
    },
  ];
}
