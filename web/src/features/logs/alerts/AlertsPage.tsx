import "../logs.css";
import "../rules.css";
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
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { LogsContext } from "../LogsContext";
import { alertPath, logsPath, newAlertPath } from "../paths";
import { useAlertActs, useMemberRefusal } from "./acts";
import { standing, valueWords } from "./form";
import { type Alert, alertsQuery } from "./queries";

/** What is watched, how it stands, and who is told. */
export function AlertsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const alerts = useSuspenseQuery(alertsQuery(team)).data.items;
  const refused = useMemberRefusal(team);
  const navigate = useNavigate();
  const [doomed, setDoomed] = useState<Alert | null>(null);
  const go = (to: string) => void navigate({ to });
  const acts = useAlertActs(team, { tested: ({ id }) => go(alertPath(team, id)), deleted: () => setDoomed(null) });
  usePage({ title: "Alerts", crumbs: [{ label: "Logs", to: logsPath(team) }, { label: "Alerts" }] });
  useActions([{ id: "logs.alerts.new", label: "New alert", group: "This page", keys: "c", icon: Plus, refused, run: () => go(newAlertPath(team)) }]);
  return (
    <>
      <LogsContext team={team} />
      <PageHeader
        title="Alerts"
        meta={summary(alerts)}
        actions={
          <Button kind="primary" icon={Plus} refused={refused} tip="c" onClick={() => go(newAlertPath(team))}>
            New alert
          </Button>
        }
      />
      {alerts.length === 0 ? (
        <EmptyState
          headline="Nobody watches these lines"
          actions={
            <Button kind="primary" icon={Plus} refused={refused} onClick={() => go(newAlertPath(team))}>
              Write the first alert
            </Button>
          }
        >
          An alert is a sentence: “When there are more than 10 lines of level:&gt;=error within 5 minutes, send mail to Ops.” While you write it you see what it would have done within a day or a week. Any search becomes one by its button Alert.
        </EmptyState>
      ) : (
        <Table label="Alerts" rows={sorted(alerts)} rowKey={({ id }) => id} columns={columns(team, refused, acts, setDoomed)} onOpen={({ id }) => go(alertPath(team, id))} keyboard />
      )}
      <Confirm open={doomed !== null} onClose={() => setDoomed(null)} onConfirm={() => doomed && void acts.remove.start(doomed)} busy={acts.remove.busy} title={`Delete ${doomed?.name ?? ""}?`} act="Delete">
        {doomed?.actions.length ? `${doomed.actions.map(({ label }) => label).join(", ")} will be told nothing more by it` : "It is watched no longer"}, and the list of its firings goes too.
      </Confirm>
    </>
  );
}

const urgency: Alert["state"][] = ["firing", "error", "waiting", "ok", "off"];

/** What needs somebody first, then by name. */
const sorted = (alerts: Alert[]) => alerts.toSorted((a, b) => urgency.indexOf(a.state) - urgency.indexOf(b.state) || a.name.localeCompare(b.name));

function summary(alerts: Alert[]): string {
  if (alerts.length === 0) return "nothing is watched";
  const firing = alerts.filter(({ state }) => state === "firing").length;
  const failing = alerts.filter(({ state, problem, enabled }) => enabled && (state === "error" || problem)).length;
  return [plural(alerts.length, "alert"), firing > 0 && `${firing} firing`, failing > 0 && `${failing} in trouble`].filter(Boolean).join(", ");
}

function columns(team: string, refused: string | false, { toggle, test }: ReturnType<typeof useAlertActs>, onDelete: (alert: Alert) => void): Column<Alert>[] {
  return [
    {
      key: "name",
      head: "Alert",
      lead: true,
      sort: (a, b) => a.name.localeCompare(b.name),
      cell: (alert) => (
        <span className="logs-rule-line">
          <span className="min-w-0">
            <Link className="title" to={alertPath(team, alert.id)}>
              {alert.name}
            </Link>
            <span className="meta block">{alert.sentence}</span>
            {alert.enabled && (alert.error || alert.problem) && <span className="meta block logs-bad">{alert.error || alert.problem}</span>}
          </span>
        </span>
      ),
    },
    { key: "state", head: "Stands", width: 150, cell: (alert) => <Standing alert={alert} /> },
    { key: "value", head: "Value", said: "value", width: 96, number: true, cell: ({ value, condition, enabled }) => (enabled ? valueWords(value, condition.kind) : "–") },
    { key: "fired", head: "Fired last", said: "fired", width: 110, cell: ({ fired_at: at }) => (at ? <RelativeTime at={at} /> : <span className="muted">never</span>) },
    { key: "on", head: "On", width: 84, cell: (alert) => <Switch on={alert.enabled} label={alert.enabled ? "on" : "off"} name={`${alert.name} is on`} disabled={Boolean(refused)} onChange={(on) => void toggle.start(alert, on)} /> },
    {
      key: "acts",
      head: <span className="sr">Acts</span>,
      width: 96,
      end: true,
      cell: (alert) => (
        <span className="actions justify-end">
          <IconButton size="small" icon={Send} label={`Send a test of ${alert.name}`} busy={test.busy} refused={refused || (alert.actions.length === 0 && "It tells nobody.")} onClick={() => void test.start(alert)} />
          <IconButton size="small" icon={Trash2} label={`Delete ${alert.name}`} refused={refused} onClick={() => onDelete(alert)} />
        </span>
      ),
    },
  ];
}

function Standing({ alert }: { alert: Alert }) {
  const { status, word } = standing(alert);
  return (
    <span>
      <Status status={status} word={word} />
      {alert.since && (alert.state === "firing" || alert.state === "error") && (
        <span className="meta block">
          since <RelativeTime at={alert.since} />
        </span>
      )}
    </span>
  );
}
