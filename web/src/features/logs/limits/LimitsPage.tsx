import "../logs.css";
import "../rules.css";
import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { LogsContext } from "../LogsContext";
import { logsPath } from "../paths";
import { Kept, Streams } from "./Kept";
import { LimitFields } from "./LimitFields";
import { limitsQuery, sizesQuery } from "./queries";

/** What is kept for how long, and how much may come. */
export function LimitsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const sizes = useSuspenseQuery(sizesQuery(team)).data;
  const limits = useSuspenseQuery(limitsQuery(team)).data;
  usePage({ title: "Retention and limits", crumbs: [{ label: "Logs", to: logsPath(team) }, { label: "Retention and limits" }] });
  return (
    <>
      <LogsContext team={team} />
      <PageHeader title="Retention and limits" meta="what lines take, how long they stay, how much may come" />
      <Kept sizes={sizes} />
      <LimitFields key={limits.updated_at} team={team} limits={limits} />
      <Streams team={team} sizes={sizes} />
    </>
  );
}
