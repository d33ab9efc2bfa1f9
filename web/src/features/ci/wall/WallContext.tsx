import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { CircleX, Package, Pin, Server, Stamp, Webhook, Workflow } from "lucide-react";
import { ContextGroup, ContextItem, ContextList } from "@/ui/frame/ContextList";
import { instanceWords, pipelineAddress } from "../address";
import { approvalsQuery } from "../approvals/queries";
import { approvalsPath, hooksPath, packagesPath, wallPath, workersPath } from "../paths";
import { pipelinesQuery } from "../queries";
import { pipelineStatus } from "../state";
import { arrange, isFailing } from "./arrange";
import { usePins } from "./pins";

// More names than this are found by the wall and by Ctrl-K, not by scrolling.
const named = 100;

/** The list at the left of every page of pipelines: which to show, then each by its group. */
export function WallContext({ team }: { team: string }) {
  const { items: pipelines } = useSuspenseQuery(pipelinesQuery(team)).data;
  const waiting = useQuery(approvalsQuery(team, "waiting")).data?.items.length;
  const { pins } = usePins();
  const home = wallPath(team);
  const groups = arrange(pipelines.slice(0, named));
  const running = pipelines.reduce((sum, pipeline) => sum + pipeline.running, 0);
  return (
    <ContextList foot={running > 0 ? `${running} running now` : "nothing runs now"}>
      <ContextGroup title="Pipelines">
        <ContextItem to={home} search={{}} icon={Workflow} label="All pipelines" end={pipelines.length} />
        <ContextItem to={home} search={{ show: "pinned" }} icon={Pin} label="Pinned" end={pipelines.filter(({ id }) => pins.has(id)).length} />
        <ContextItem to={home} search={{ show: "failing" }} icon={CircleX} label="Failing" end={pipelines.filter(isFailing).length} />
        <ContextItem to={approvalsPath(team)} icon={Stamp} label="Approvals" end={waiting || undefined} />
        <ContextItem to={packagesPath(team)} icon={Package} label="Packages" />
        <ContextItem to={workersPath(team)} icon={Server} label="Workers" deep />
        <ContextItem to={hooksPath(team)} icon={Webhook} label="GitHub" deep />
      </ContextGroup>
      {groups.map((group) => (
        <ContextGroup key={group.name} title={group.name} to={groups.length > 1 ? home : undefined} search={{ group: group.name }}>
          {group.pipelines.map((pipeline) => (
            <ContextItem
              key={pipeline.id}
              {...pipelineAddress(pipeline)}
              status={pipelineStatus(pipeline)}
              label={group.name === pipeline.name ? instanceWords(pipeline.instance_vars) || pipeline.name : pipeline.name}
            />
          ))}
        </ContextGroup>
      ))}
      {pipelines.length > named && <ContextItem to={home} search={{ view: "table" }} icon={Workflow} label="All the others" end={pipelines.length - named} />}
    </ContextList>
  );
}
