import { useQuery } from "@tanstack/react-query";
import { Hash, List, MessageSquarePlus, Settings } from "lucide-react";
import { ContextGroup, ContextItem, ContextList } from "@/ui/frame/ContextList";
import { ApprovalsItem } from "./approvals/ApprovalsItem";
import { assistantPath, runPath, runsPath, settingsPath } from "./paths";
import { runsQuery } from "./queries";
import { slackPath } from "./slack/paths";
import { ServersItem } from "./servers/ServersItem";
import { byDay, statusOf } from "./words";

/** The list at the left: a new question, and what was asked before. */
export function AssistantContext({ team }: { team: string }) {
  const runs = useQuery(runsQuery(team)).data?.items ?? [];
  return (
    <ContextList>
      <ContextGroup title="Assistant">
        <ContextItem to={assistantPath(team)} icon={MessageSquarePlus} label="New question" />
        <ContextItem to={runsPath(team)} icon={List} label="Runs" />
        <ApprovalsItem team={team} />
        <ContextItem to={settingsPath(team)} icon={Settings} label="What it may read" />
        <ContextItem to={slackPath(team)} icon={Hash} label="Slack" />
        <ServersItem team={team} />
      </ContextGroup>
      {byDay(runs, new Date()).map(({ title, runs: list }) => (
        <ContextGroup key={title} title={title}>
          {list.slice(0, 20).map((run) => (
            <ContextItem key={run.id} to={runPath(team, run.id)} status={statusOf(run)} label={run.question || "(nothing)"} />
          ))}
        </ContextGroup>
      ))}
    </ContextList>
  );
}
