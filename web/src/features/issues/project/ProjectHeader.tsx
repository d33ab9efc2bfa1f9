import "../issues.css";
import { Bug } from "lucide-react";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { relativeTime } from "@/format/time";
import { Button } from "@/ui/Button";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { IssuesContext } from "../IssuesContext";
import { groupingPath, intakePath, issuesPath, keysPath, privacyPath, settingsPath, setupPath } from "../paths";
import type { Project } from "../queries";

type Props = { team: string; project: Project; page: string; actions?: ReactNode };

/** The head of every page of a project. */
export function ProjectHeader({ team, project, page, actions }: Props) {
  const { slug, name, last_event_at: last, created_at: created } = project;
  const navigate = useNavigate();
  usePage({ title: `${page} · ${slug}`, crumbs: [{ label: "Issues", to: issuesPath(team) }, { label: slug }, { label: page }] });
  return (
    <>
      <IssuesContext team={team} project={slug} />
      <PageHeader
        title={name}
        meta={last ? `last event ${relativeTime(last)}` : `new project · created ${relativeTime(created)}`}
        actions={
          <>
            {actions}
            <Button kind="quiet" icon={Bug} onClick={() => void navigate({ to: issuesPath(team), search: { project: slug } as never })}>
              Issues
            </Button>
          </>
        }
        tabs={[
          { label: "Set up", to: setupPath(team, slug) },
          { label: "Keys", to: keysPath(team, slug) },
          { label: "Intake", to: intakePath(team, slug) },
          { label: "Privacy", to: privacyPath(team, slug) },
          { label: "Grouping", to: groupingPath(team, slug) },
          { label: "Settings", to: settingsPath(team, slug) },
        ]}
      />
    </>
  );
}
