import "./edge.css";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { EdgeContext } from "./EdgeContext";
import { bundlesPath, enrolmentPath, fleetPath, keysPath, policiesPath, rolloutsPath } from "./paths";
import { countsQuery } from "./queries";

type Props = { team: string; title: string; meta?: ReactNode; actions?: ReactNode; children: ReactNode };

/** The header that the lists of edge share, with a tab for each. */
export function EdgeFrame({ team, title, meta, actions, children }: Props) {
  const waiting = useQuery(countsQuery(team)).data?.counts.states.pending;
  usePage({ title, crumbs: title === "Fleet" ? [{ label: "Edge" }, { label: title }] : [{ label: "Edge", to: fleetPath(team) }, { label: title }] });
  return (
    <>
      <EdgeContext team={team} />
      <PageHeader
        title={title}
        meta={meta}
        actions={actions}
        tabsLabel="Edge"
        tabs={[
          { label: "Fleet", to: fleetPath(team) },
          { label: "Rollouts", to: rolloutsPath(team) },
          { label: "Policies", to: policiesPath(team) },
          { label: "Bundles", to: bundlesPath(team) },
          { label: "Enrolment", to: enrolmentPath(team), count: waiting || undefined },
          { label: "Keys", to: keysPath(team) },
        ]}
      />
      {children}
    </>
  );
}
