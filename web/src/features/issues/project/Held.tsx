import { useQuery } from "@tanstack/react-query";
import { bytes, count } from "@/format/bytes";
import { Progress } from "@/ui/facts";
import { RelativeTime } from "@/ui/RelativeTime";
import { usageQuery } from "../privacy/queries";
import type { Project } from "../queries";

/** What a project holds now, against what it may hold. */
export function Held({ project }: { project: Project }) {
  const { data } = useQuery(usageQuery(project.id));
  if (!data) return null;
  const { events, bytes: size, oldest_at: oldest, retention } = data;
  return (
    <div className="grid gap-1">
      <p>
        Holds {count(events)} {retention.events > 0 && `of ${count(retention.events)}`} events, {bytes(size)} {retention.bytes > 0 && `of ${bytes(retention.bytes)}`}
        {oldest && (
          <>
            , the oldest <RelativeTime at={oldest} />
          </>
        )}
        {retention.days > 0 && `; kept for ${retention.days} days`}.
      </p>
      {retention.events > 0 && <Progress value={events / retention.events} label="Events held, of those that may be" />}
    </div>
  );
}
