import "../issues.css";
import { useNavigate, useParams } from "@tanstack/react-router";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { useUrlState } from "@/ui/useUrlState";
import { IssuesContext } from "../IssuesContext";
import { alertPath, alertsPath, issuesPath } from "../paths";
import { AlertEditor } from "./AlertEditor";
import { newAlertSearch } from "./search";

/** Writes a new rule. */
export function NewAlertPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [{ project }] = useUrlState(newAlertSearch);
  const navigate = useNavigate();
  usePage({ title: "New alert", crumbs: [{ label: "Issues", to: issuesPath(team) }, { label: "Alerts", to: alertsPath(team) }, { label: "New" }] });
  return (
    <>
      <IssuesContext team={team} />
      <PageHeader title="New alert" meta="a sentence, and what it would have done" />
      <AlertEditor team={team} project={project} onSaved={({ id }) => void navigate({ to: alertPath(team, id) })} />
    </>
  );
}
