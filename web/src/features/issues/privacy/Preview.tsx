import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem } from "@/api/problem";
import { plural } from "@/format/bytes";
import { CodeBlock } from "@/ui/CodeBlock";
import { Copyable } from "@/ui/CopyButton";
import { Input } from "@/ui/Field";
import { Segmented } from "@/ui/Segmented";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { useMemberRefusal } from "../acts";
import { setupPath } from "../paths";
import type { Project } from "../queries";
import { changesOf, reasonWords } from "./change";
import { type Scrubbing, scrubPreviewQuery } from "./queries";

type Props = { team: string; project: Project; rules: Scrubbing; event?: string; onEvent: (event: string) => void };

/** What the rules would do to a real event, before they do it. */
export function Preview({ team, project, rules, event, onEvent }: Props) {
  const [view, setView] = useState<"changes" | "before" | "after">("changes");
  // What rules take out is shown to whoever may write them: it is what nobody else shall see.
  const refused = useMemberRefusal(team);
  const { data, error, isFetching } = useQuery({ ...scrubPreviewQuery(project.id, rules, event), placeholderData: keepPreviousData, enabled: Boolean(project.first_event_at) && !refused });
  const problem = error ? asProblem(error) : undefined;
  const changes = data ? changesOf(data) : [];
  return (
    <section aria-label="Preview" className="issues-preview">
      <div className="section-head">
        <h2>On a real event</h2>
        {data && <span className="meta" aria-live="polite">{isFetching ? "looking…" : changes.length === 0 ? "nothing would change" : `${plural(changes.length, "value")} would change`}</span>}
        <span className="actions">
          <Segmented label="Shown" value={view} onChange={setView} options={[{ value: "changes", label: "Changes" }, { value: "before", label: "Before" }, { value: "after", label: "After" }]} />
        </span>
      </div>
      {refused ? (
        <p className="muted">{refused}</p>
      ) : !project.first_event_at ? (
        <p className="muted">
          No event came yet to try them on. <Link className="link underline" to={setupPath(team, project.slug)}>Connect a program</Link>, or send a test event there.
        </p>
      ) : (
        <>
          <div className="line mb-3">
            <span className="meta flex-none">Event</span>
            <Input compact mono aria-label="Event to try them on" className="max-w-[300px]" placeholder={data?.event_id ?? "the latest"} defaultValue={event ?? ""} onChange={({ target }) => /^([0-9a-f]{32})?$/.test(target.value.trim()) && onEvent(target.value.trim())} autoComplete="off" spellCheck={false} />
          </div>
          {problem && <Notice kind="bad">{problem.message}</Notice>}
          {!data && !problem && <SkeletonRows rows={5} />}
          {data && view === "changes" && (
            <ul className="issues-changes">
              {changes.map(({ at, reason, before, after }) => (
                <li key={at}>
                  <span className="line">
                    <Copyable text={at} what="Copy the path" />
                    <span className="meta push">{reasonWords(reason)}</span>
                  </span>
                  <span className="mono">
                    <del>{before || "something"}</del> {after === undefined ? <em>nothing</em> : <ins>{after}</ins>}
                  </span>
                </li>
              ))}
              {changes.length === 0 && <li className="muted">These rules leave the event as it is stored. What they would take is missing already, or is not in it.</li>}
            </ul>
          )}
          {data && view !== "changes" && <CodeBlock code={JSON.stringify(data[view], null, 2)} label={view === "before" ? "Event as it is stored" : "Event as it would be stored"} />}
        </>
      )}
    </section>
  );
}
