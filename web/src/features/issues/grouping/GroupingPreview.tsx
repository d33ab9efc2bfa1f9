import { Link } from "@tanstack/react-router";
import type { Problem } from "@/api/problem";
import { Copyable } from "@/ui/CopyButton";
import { Chip } from "@/ui/facts";
import { Input } from "@/ui/Field";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { issuePath, setupPath } from "../paths";
import type { Project } from "../queries";
import { wrongLine } from "./mistakes";
import type { GroupingPreview as Found, GroupingSide } from "./queries";

type Props = { team: string; project: Project; event?: string; onEvent: (event: string) => void; found?: Found; looking: boolean; problem?: Problem };

/** Where a real event goes now, and where it would go by the rules as they are written. */
export function GroupingPreview({ team, project, event, onEvent, found: data, looking, problem }: Props) {
  return (
    <section aria-label="Preview" className="issues-preview">
      <div className="section-head">
        <h2>On a real event</h2>
        {data && !problem && <span className="meta" aria-live="polite">{looking ? "looking…" : data.changed ? "it would go elsewhere" : "nothing would change"}</span>}
      </div>
      {!project.first_event_at ? (
        <p className="muted">
          No event came yet to try them on. <Link className="link underline" to={setupPath(team, project.slug)}>Connect a program</Link>, or send a test event there.
        </p>
      ) : (
        <>
          <div className="line mb-3">
            <span className="meta flex-none">Event</span>
            <Input compact mono aria-label="Event to try them on" className="max-w-[300px]" placeholder={data?.event_id ?? "the latest"} defaultValue={event ?? ""} onChange={({ target }) => /^([0-9a-f]{32})?$/.test(target.value.trim()) && onEvent(target.value.trim())} autoComplete="off" spellCheck={false} />
          </div>
          {problem && <Notice kind="bad">{wrongLine(problem.fields) ? "The rules cannot be read yet." : problem.message}</Notice>}
          {!data && !problem && <SkeletonRows rows={5} />}
          {data && !problem && (
            <div className="grid gap-5">
              <Side team={team} name="Now" side={data.now} />
              {data.changed && <Side team={team} name="With these rules" side={data.then} />}
            </div>
          )}
        </>
      )}
    </section>
  );
}

function Side({ team, name, side: { title, hashes, why, issue } }: { team: string; name: string; side: GroupingSide }) {
  return (
    <section aria-label={name} className="grid gap-2">
      <h3 className="micro">{name}</h3>
      <p className="line">
        {issue ? (
          <Link className="link flex-none" to={issuePath(team, issue.id)}>
            {issue.short_id}
          </Link>
        ) : (
          <Chip>a new issue</Chip>
        )}
        <b className="clip" title={title}>
          {title}
        </b>
      </p>
      <ol className="grid gap-2">
        {why.map(({ kind, text, parts }, at) => (
          <li key={at} className="grid gap-1">
            <span>
              <Chip>{kind}</Chip> {text}
            </span>
            {parts && parts.length > 0 && <p className="quote">{parts.join("\n")}</p>}
          </li>
        ))}
      </ol>
      <p className="meta line">
        {hashes.map(({ kind, value }) => (
          <Copyable key={`${kind}${value}`} text={value} what={`Copy the ${kind} hash`}>
            {value.slice(0, 16)}
          </Copyable>
        ))}
      </p>
    </section>
  );
}
