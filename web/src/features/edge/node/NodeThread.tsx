import { useQuery } from "@tanstack/react-query";
import { asProblem } from "@/api/problem";
import { plural } from "@/format/bytes";
import { RelativeTime } from "@/ui/RelativeTime";
import { Skeleton } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import type { Status } from "@/ui/status";
import { LineQuote, ThreadStep } from "@/ui/thread/parts";
import { PathLink } from "@/ui/thread/PathLink";
import { type NodeThread as Thread, nodeThreadQuery } from "./thread";

/** What else is known of a node: its lines, its errors, and what was brought to it. */
export function NodeThread({ team, id }: { team: string; id: string }) {
  const { data: thread, error } = useQuery(nodeThreadQuery(team, id));
  return (
    <section aria-label="Thread">
      <h2>Logs, errors, patches</h2>
      {error ? <Notice kind="warn">{asProblem(error).message}</Notice> : thread ? <Steps thread={thread} /> : <Skeleton height={120} />}
    </section>
  );
}

const glyphs: Partial<Record<string, Status>> = { succeeded: "succeeded", failed: "failed", "rolled-back": "rolled-back", quarantined: "quarantined", pending: "pending", released: "running", skipped: "skipped", deferred: "deferred" };

function Steps({ thread: { lines, errors, patches, missing } }: { thread: Thread }) {
  return (
    <dl className="thread">
      {missing.length > 0 && <Notice kind="warn">{missing.join(" and ")} did not answer, so what is theirs is missing here.</Notice>}
      <ThreadStep name="Lines">{lines ? <LineQuote lines={lines} /> : <span className="meta">You may not read log lines.</span>}</ThreadStep>
      <ThreadStep name="Errors">
        {!errors ? (
          <span className="meta">You may not read errors.</span>
        ) : errors.items.length === 0 ? (
          <span className="meta">No unresolved error names this machine.</span>
        ) : (
          <ul className="thread-list" aria-label="Errors of this node">
            {errors.items.map(({ short_id: short, title, events, last_seen: seen, path }) => (
              <li key={short}>
                <StatusGlyph status="failed" label="unresolved" />
                <PathLink className="link clip" path={path}>
                  {title}
                </PathLink>
                <span className="meta push">
                  {plural(events, "event")}, <RelativeTime at={seen} />
                </span>
              </li>
            ))}
            {errors.more && (
              <li>
                <PathLink path={errors.path}>All of them</PathLink>
              </li>
            )}
          </ul>
        )}
      </ThreadStep>
      <ThreadStep name="Patches">
        {patches.length === 0 ? (
          <span className="meta">It took part in no rollout yet.</span>
        ) : (
          <ul className="thread-list" aria-label="Patches of this node">
            {patches.map(({ rollout, number, bundle, state, reason, at, path, bundle_path: page }) => (
              <li key={rollout} title={reason}>
                <StatusGlyph status={glyphs[state] ?? "staging"} label={state} />
                <PathLink path={path}>Rollout {number}</PathLink>
                <PathLink className="link clip" path={page}>
                  {bundle}
                </PathLink>
                <span className="meta clip">{reason || state}</span>
                <span className="meta push">
                  <RelativeTime at={at} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </ThreadStep>
    </dl>
  );
}
