import "../logs.css";
import "../rules.css";
import { useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { BellOff, BellRing, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Switch } from "@/ui/Field";
import { useActions, usePage } from "@/ui/frame/hooks";
import { Menu, MenuItem } from "@/ui/Menu";
import { PageHeader } from "@/ui/PageHeader";
import { useUrlState } from "@/ui/useUrlState";
import { LogsContext } from "../LogsContext";
import { alertPath, alertsPath, logsPath } from "../paths";
import { useAlertActs, useMemberRefusal } from "./acts";
import { AlertEditor } from "./AlertEditor";
import { AlertHistory } from "./AlertHistory";
import { span, standing } from "./form";
import { type Alert, alertQuery } from "./queries";
import { alertSearch } from "./search";

/** One alert: how it stands, when it fired and whom it told, and its words. */
export function AlertPage() {
  const { team, alert: id } = useParams({ strict: false }) as { team: string; alert: string };
  const alert = useSuspenseQuery(alertQuery(id)).data;
  const [{ tab, days }, setSearch] = useUrlState(alertSearch);
  const refused = useMemberRefusal(team);
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const { toggle, mute, test, remove } = useAlertActs(team, { tested: () => setSearch({ tab: undefined }), deleted: () => void navigate({ to: alertsPath(team) }) });
  const here = alertPath(team, alert.id);
  const { status, word } = standing(alert);
  const untold = refused || (alert.actions.length === 0 && "It tells nobody.");
  usePage({ title: alert.name, status: alert.state === "firing" ? "failed" : undefined, crumbs: [{ label: "Logs", to: logsPath(team) }, { label: "Alerts", to: alertsPath(team) }, { label: alert.name }] });
  useActions([{ id: "logs.alert.test", label: "Send a test", group: "This alert", keys: "t", icon: Send, refused: untold, run: () => void test.start(alert) }]);
  return (
    <>
      <LogsContext team={team} />
      <div className="logs-head">
        <PageHeader
          status={status}
          title={alert.name}
          meta={word}
          actions={
            <>
              <Switch on={alert.enabled} label={alert.enabled ? "on" : "off"} name="The alert is on" disabled={Boolean(refused)} onChange={(on) => void toggle.start(alert, on)} />
              <Mute alert={alert} refused={refused} onMute={(minutes) => void mute.start(alert, minutes)} />
              <Button icon={Send} busy={test.busy} refused={untold} tip="t" onClick={() => void test.start(alert)}>
                Send a test
              </Button>
              <IconButton icon={Trash2} label="Delete the alert" refused={refused} onClick={() => setAsking(true)} />
            </>
          }
          tabs={[
            { label: "History", to: here, search: {} },
            { label: "Rule", to: here, search: { tab: "rule", ...(days && tab === "rule" ? { days } : {}) } },
          ]}
        />
      </div>
      {tab === "rule" ? (
        <AlertEditor key={alert.updated_at} team={team} alert={alert} days={days ? 7 : 1} onDays={(wanted) => setSearch({ days: wanted === 7 ? "7" : undefined })} onSaved={() => setSearch({ tab: "rule" })} />
      ) : (
        <AlertHistory team={team} alert={alert} />
      )}
      <Confirm open={asking} onClose={() => setAsking(false)} onConfirm={() => void remove.start(alert)} busy={remove.busy} title={`Delete ${alert.name}?`} act="Delete">
        It is watched no longer, and the list of its firings goes too.
      </Confirm>
    </>
  );
}

const silences = [60, 480, 1440, 10080];

/** For how long nobody is told. */
function Mute({ alert, refused, onMute }: { alert: Alert; refused: string | false; onMute: (minutes: number) => void }) {
  if (alert.muted_until)
    return (
      <Button icon={BellRing} refused={refused} onClick={() => onMute(0)}>
        Tell again
      </Button>
    );
  return (
    <Menu
      label="Mute"
      align="end"
      trigger={
        <Button icon={BellOff} refused={refused}>
          Mute
        </Button>
      }
    >
      {silences.map((minutes) => (
        <MenuItem key={minutes} refused={refused} onSelect={() => onMute(minutes)}>
          for {span(minutes)}
        </MenuItem>
      ))}
    </Menu>
  );
}
