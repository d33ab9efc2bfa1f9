import { Link } from "@tanstack/react-router";
import { asProblem } from "@/api/problem";
import { RelativeTime } from "@/ui/RelativeTime";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { exitWords } from "../looks";
import { bundlePath } from "../paths";
import type { NodeEvent } from "../queries";
import { eventLook } from "./events";

/** What happened to a node, newest first. */
export function Timeline({ team, events, error }: { team: string; events: NodeEvent[] | undefined; error: Error | null }) {
  if (!events && error) return <Notice kind="bad">{asProblem(error).message}</Notice>;
  if (!events) return <SkeletonRows rows={4} />;
  if (events.length === 0) return <p className="muted">Nothing yet. What the node reports, and what people decide about it, stands here.</p>;
  return (
    <ol className="edge-events">
      {events.map((event) => {
        const { status, word } = eventLook(event);
        return (
          <li key={event.id}>
            <span className="meta">
              <RelativeTime at={event.at} />
            </span>
            <div className="min-w-0">
              <p>
                <Status status={status} word={word} /> {event.bundle && <Link className="link underline" to={bundlePath(team, event.bundle)}>{event.bundle}</Link>} {event.actor && <span className="muted">by {event.actor}</span>}
              </p>
              {(event.message || event.exit !== null) && <p className="meta">{[event.exit ? exitWords(event.exit) : "", event.method && `by ${event.method}`, event.message].filter(Boolean).join(" · ")}</p>}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
