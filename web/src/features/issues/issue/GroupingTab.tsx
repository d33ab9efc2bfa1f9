import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Copyable } from "@/ui/CopyButton";
import { Confirm } from "@/ui/Dialog";
import { Chip } from "@/ui/facts";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { SkeletonRows } from "@/ui/Skeleton";
import { ErrorState } from "@/ui/states";
import { useMemberRefusal } from "../acts";
import { issuePath } from "../paths";
import { groupingQuery } from "../queries";

/** Why events are one issue, and the way to take them apart. */
export function GroupingTab({ team, issue }: { team: string; issue: number }) {
  const { data: found, error, refetch } = useQuery(groupingQuery(issue));
  const refused = useMemberRefusal(team);
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const [doomed, setDoomed] = useState<string | null>(null);
  const split = useTask({
    run: (hash: string) => data(api.POST("/api/v1/issues/issues/{id}/unmerge", { params: { path: { id: issue } }, body: { hash } })),
    failed: "The issue stays whole.",
    onDone: (made) => {
      setDoomed(null);
      toast({ text: `${made.short_id} is an issue of its own now` });
      void client.invalidateQueries({ queryKey: ["issues"] });
      void navigate({ to: issuePath(team, made.id) });
    },
  });
  if (error) return <ErrorState what="The grouping cannot be read" why={asProblem(error).message} requestId={asProblem(error).requestId} onRetry={() => void refetch()} />;
  if (!found) return <SkeletonRows rows={4} />;
  const hashes = found.hashes;
  return (
    <div className="pane grid gap-5 max-w-[860px]">
      <section aria-label="Why these events are one issue">
        <div className="section-head">
          <h2>Why these events are one issue</h2>
          <span className="meta">told by the newest event</span>
        </div>
        <ol className="grid gap-3">
          {found.why.map(({ kind, text, parts }, at) => (
            <li key={at} className="grid gap-1">
              <span>
                <Chip>{kind}</Chip> {text}
              </span>
              {parts && parts.length > 0 && <p className="quote">{parts.join("\n")}</p>}
            </li>
          ))}
        </ol>
        {found.why.length === 0 && <p className="muted">No event is kept that could tell.</p>}
      </section>
      <section aria-label="Grouping hashes">
        <div className="section-head">
          <h2>{plural(hashes.length, "hash", "hashes")}</h2>
          <span className="meta">an event with one of them belongs here</span>
        </div>
        <ul className="rows issues-hashes">
          {hashes.map(({ hash, kind, created_at: at }) => (
            <li key={hash}>
              <Chip>{kind}</Chip>
              <Copyable text={hash}>{hash.slice(0, 12)}</Copyable>
              <span className="meta push whitespace-nowrap">
                <RelativeTime at={at} />
              </span>
              <Button size="small" refused={refused || (hashes.length < 2 && "It is the only one.")} onClick={() => setDoomed(hash)}>
                Split off
              </Button>
            </li>
          ))}
        </ul>
      </section>
      <Confirm open={doomed !== null} onClose={() => setDoomed(null)} onConfirm={() => doomed && void split.start(doomed)} busy={split.busy} title="Split it off?" act="Split off" keep="Keep whole">
        Events with this hash get an issue of their own, those that came and those that will come. They can be merged again in the list.
      </Confirm>
    </div>
  );
}
