import { useQuery } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Copyable } from "@/ui/CopyButton";
import { Facts } from "@/ui/facts";
import { RelativeTime } from "@/ui/RelativeTime";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { reachabilityQuery } from "./queries";

/** Whether GitHub can find the way to this server, and what to do if not. */
export function ReachabilityOfUs({ team }: { team: string }) {
  const { data: found, error, isFetching, refetch } = useQuery(reachabilityQuery(team));
  return (
    <section aria-label="The way here">
      <div className="hooks-head section-head">
        <h2>Can GitHub reach this server?</h2>
        <Button size="small" className="push" icon={RotateCw} busy={isFetching} onClick={() => void refetch()}>
          Look again
        </Button>
      </div>
      <div className="hooks-body">
        {error && <Notice kind="bad">{asProblem(error).message}</Notice>}
        {!found && !error && <SkeletonRows rows={3} />}
        {found && (
          <Facts
            items={[
              ["Answer", <Status key="answer" status={found.ok ? "succeeded" : "failed"} word={found.ok ? "yes, as far as can be seen from here" : "no"} />],
              ...(found.ok ? [] : ([["Problem", found.problem]] as [string, React.ReactNode][])),
              ["Address", <Copyable key="url" text={found.url} what="Copy the address" />],
              ["Tried", found.how],
              ...(found.ok ? [] : ([["Next step", <span key="next" className="strong">{found.next_step}</span>]] as [string, React.ReactNode][])),
              ["Looked", <RelativeTime key="at" at={found.checked_at} />],
            ]}
          />
        )}
      </div>
    </section>
  );
}
