import "./edge.css";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { EdgeContext } from "./EdgeContext";
import { bundlesPath, cvesPath, enrolmentPath, fleetPath, freezesPath, keysPath, policiesPath, rolloutsPath, sitesPath } from "./paths";
import { countsQuery } from "./queries";

type Props = { team: string; title: string; /** The list that the page belongs to, where it has no tab of its own. */ under?: { label: string; to: string }; meta?: ReactNode; actions?: ReactNode; children: ReactNode };

/** The header that the lists of edge share, with a tab for each. */
export function EdgeFrame({ team, title, under, meta, actions, children }: Props) {
  const waiting = useQuery(countsQuery(team)).data?.counts.states.pending;
  usePage({ title, crumbs: [title === "Fleet" ? { label: "Edge" } : { label: "Edge", to: fleetPath(team) }, ...(under ? [under] : []), { label: title }] });
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
          { label: "Policies", to: policiesPath(team), deep: true },
          { label: "Bundles", to: bundlesPath(team) },
          { label: "CVEs", to: cvesPath(team) },
          { label: "Freezes", to: freezesPath(team) },
          { label: "Sites", to: sitesPath(team) },
          { label: "Enrolment", to: enrolmentPath(team), count: waiting || undefined },
          { label: "Keys", to: keysPath(team) },
        ]}
      />
      {children}
    </>
  );
}
