import "../logs.css";
import "../rules.css";
import { useNavigate, useParams } from "@tanstack/react-router";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { useUrlState } from "@/ui/useUrlState";
import { LogsContext } from "../LogsContext";
import { alertPath, alertsPath, logsPath } from "../paths";
import { AlertEditor } from "./AlertEditor";
import { newAlertSearch } from "./search";

/** Writes a new alert, perhaps from a search. */
export function NewAlertPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [{ q, days }, setSearch] = useUrlState(newAlertSearch);
  const navigate = useNavigate();
  usePage({ title: "New alert", crumbs: [{ label: "Logs", to: logsPath(team) }, { label: "Alerts", to: alertsPath(team) }, { label: "New" }] });
  return (
    <>
      <LogsContext team={team} />
      <PageHeader title="New alert" meta="a sentence, and what it would have done" />
      <AlertEditor team={team} query={q} days={days ? 7 : 1} onDays={(wanted) => setSearch({ days: wanted === 7 ? "7" : undefined })} onSaved={({ id }) => void navigate({ to: alertPath(team, id) })} />
    </>
  );
}
