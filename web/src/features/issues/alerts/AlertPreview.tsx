import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { asProblem } from "@/api/problem";
import { count, plural } from "@/format/bytes";
import { RelativeTime } from "@/ui/RelativeTime";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { useNow } from "@/ui/useNow";
import { issuePath } from "../paths";
import { dayNames } from "./form";
import { type AlertDraft, type AlertPreview as Found, alertPreviewQuery } from "./queries";

/** What a rule would have done within the last seven days. */
export function AlertPreview({ team, draft }: { team: string; draft: AlertDraft }) {
  const { data, error, isFetching } = useQuery({ ...alertPreviewQuery(draft), placeholderData: keepPreviousData });
  const problem = error ? asProblem(error) : undefined;
  return (
    <section aria-label="Preview" className="issues-preview">
      <div className="section-head">
        <h2>In the last seven days</h2>
        {data && !problem && (
          <span className="meta" aria-live="polite">
            {isFetching ? "looking…" : `it would have told ${data.count === 0 ? "nobody" : plural(data.count, "time")}`}
          </span>
        )}
      </div>
      {problem && <Notice kind={problem.fields.length > 0 ? "warn" : "bad"}>{problem.fields[0]?.message ? `Not yet a rule: ${problem.fields[0].field} ${problem.fields[0].message}.` : problem.message}</Notice>}
      {!data && !problem && <SkeletonRows rows={4} />}
      {data && !problem && (
        <>
          <p className="issues-said">{data.sentence}</p>
          <Days days={data.days} />
          {data.partial && <p className="meta pb-2">There was more than can be looked at: these are the newest.</p>}
          <Firings team={team} firings={data.firings} />
          {data.count > data.firings.length && <p className="meta pt-2">and {count(data.count - data.firings.length)} more</p>}
        </>
      )}
    </section>
  );
}

function Days({ days }: { days: number[] }) {
  const most = Math.max(1, ...days);
  const names = dayNames(useNow(true, 600));
  return (
    <ol className="issues-days" aria-label="Times a day">
      {days.map((times, at) => (
        <li key={at}>
          <span className="num">{count(times)}</span>
          <i style={{ height: `${Math.round((times / most) * 48)}px` }} aria-hidden="true" />
          <span className="meta">{names[at]}</span>
        </li>
      ))}
    </ol>
  );
}

function Firings({ team, firings }: { team: string; firings: Found["firings"] }) {
  if (firings.length === 0) return <p className="muted">Nothing happened that it would tell of. Wait for the first, or make it less strict.</p>;
  return (
    <ol className="issues-changes">
      {firings.map(({ at, issue, project, why }, index) => (
        <li key={`${at}${index}`}>
          <span className="line">
            {issue ? (
              <Link className="link clip" to={issuePath(team, issue.id)} title={issue.title}>
                {issue.short_id} {issue.title}
              </Link>
            ) : (
              <b>{project?.slug ?? "the team"}</b>
            )}
            <span className="meta push flex-none">
              <RelativeTime at={at} />
            </span>
          </span>
          <span className="meta">{why}</span>
        </li>
      ))}
    </ol>
  );
}
