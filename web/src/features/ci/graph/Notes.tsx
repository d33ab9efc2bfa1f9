import { Play, RotateCw } from "lucide-react";
import { Button } from "@/ui/Button";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { useCheck, useOperatorRefusal, usePausePipeline } from "../acts";
import { jobAddress, resourceAddress } from "../address";
import { AddressLink } from "../AddressLink";
import type { Graph } from "../queries";
import { remoteWords } from "../state";
import { failedChecks, waitingJobs } from "./words";

/** What somebody must know before looking at the drawing: paused, checks that fail, jobs that wait. */
export function Notes({ graph }: { graph: Graph }) {
  const { pipeline } = graph;
  const role = useOperatorRefusal(pipeline.team);
  const pause = usePausePipeline();
  const check = useCheck();
  const failed = failedChecks(graph.resources);
  const waiting = waitingJobs(graph.jobs, pipeline.paused);
  if (!pipeline.paused && !pipeline.archived && failed.length === 0 && waiting.length === 0) return null;
  return (
    <div className="notes">
      {pipeline.archived && <Notice kind="warn">This pipeline is archived. Its builds stay readable; set it again to bring it back.</Notice>}
      {pipeline.paused && !pipeline.archived && (
        <div className="notice paused-note" role="status">
          <Button kind="primary" icon={Play} refused={role} busy={pause.busy} onClick={() => void pause.start(pipeline, false)}>
            Unpause
          </Button>
          <span className="min-w-0">
            <b>Paused{pipeline.paused_by ? ` by ${pipeline.paused_by}` : ""}.</b> Nothing is checked and no new build begins. Builds that run go on.
          </span>
        </div>
      )}
      {failed.map((resource) => (
        <Notice
          key={resource.id}
          kind="warn"
          actions={
            <Button size="small" icon={RotateCw} refused={role} busy={check.busy} onClick={() => void check.start(resource)}>
              Check now
            </Button>
          }
        >
          The check of{" "}
          <AddressLink className="link" at={resourceAddress(pipeline, resource.name)}>
            {resource.name}
          </AddressLink>{" "}
          failed{resource.last_checked_at && <> <RelativeTime at={resource.last_checked_at} /></>}: <code className="words" title={resource.check_error}>{remoteWords(resource.check_error ?? "")}</code>
          {resource.next_check_at && !pipeline.paused && <span className="muted"> Next try <RelativeTime at={resource.next_check_at} />.</span>}
        </Notice>
      ))}
      {waiting.map(({ job, sentences }) => (
        <Notice key={job.id}>
          <AddressLink className="link" at={jobAddress(pipeline, job.name)}>
            {job.name}
          </AddressLink>{" "}
          {job.next_build ? `#${job.next_build.name} ` : ""}waits. {sentences.join(" ")}
        </Notice>
      ))}
    </div>
  );
}
