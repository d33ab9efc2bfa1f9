import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { asProblem } from "@/api/problem";
import { count, plural } from "@/format/bytes";
import { duration } from "@/format/duration";
import { RelativeTime } from "@/ui/RelativeTime";
import { Segmented } from "@/ui/Segmented";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { logsPath } from "../paths";
import { layOut } from "./chart";
import type { AlertCondition, AlertDraft, AlertPreview as Found } from "./queries";
import { PreviewPlot } from "./PreviewPlot";

type Props = { team: string; draft: AlertDraft; preview: UseQueryResult<Found>; days: 1 | 7; onDays: (days: 1 | 7) => void };

/** What an alert would have done, over the values that it would have seen. */
export function AlertPreview({ team, draft, preview, days, onDays }: Props) {
  const { data, error, isFetching } = preview;
  const problem = error ? asProblem(error) : undefined;
  const chart = data && !problem ? layOut(data, draft.condition) : undefined;
  return (
    <section aria-label="Preview" className="logs-preview">
      <div className="section-head">
        <h2>What it would have done</h2>
        {data && !problem && (
          <span className="meta" aria-live="polite">
            {isFetching ? "looking…" : data.count === 0 ? "it would not have fired" : `it would have fired ${plural(data.count, "time")}`}
          </span>
        )}
        <span className="actions">
          <Segmented label="How far back" value={String(days)} onChange={(value) => onDays(value === "7" ? 7 : 1)} options={[{ value: "1", label: "24 hours" }, { value: "7", label: "7 days" }]} />
        </span>
      </div>
      {problem && <Notice kind={problem.fields.length > 0 || problem.status === 400 ? "warn" : "bad"}>Not yet an alert: {problem.detail ?? problem.message}</Notice>}
      {!data && !problem && <SkeletonRows rows={6} />}
      {data && !problem && (
        <>
          <p className="logs-told">{data.sentence}</p>
          {chart ? <PreviewPlot chart={chart} condition={draft.condition} /> : <p className="muted">There was nothing to measure.</p>}
          {data.note && <p className="meta pb-2">{data.note}</p>}
          <Firings team={team} condition={draft.condition} firings={data.firings} />
          {data.count > data.firings.length && <p className="meta pt-2">and {count(data.count - data.firings.length)} more</p>}
        </>
      )}
    </section>
  );
}

function Firings({ team, condition, firings }: { team: string; condition: AlertCondition; firings: Found["firings"] }) {
  if (firings.length === 0) return <p className="muted">Nothing happened that it would tell of. Wait for the first time, or make it less strict.</p>;
  return (
    <ol className="logs-firings">
      {firings.map(({ at, ended_at: ended, subject, why }, index) => (
        <li key={`${at}${index}`}>
          <span className="line">
            <Link className="link clip mono" to={logsPath(team)} search={around(condition, at, ended) as never} title="The lines of then">
              {subject || "the lines of then"}
            </Link>
            <span className="meta push flex-none">
              {ended ? `for ${duration((Date.parse(ended) - Date.parse(at)) / 1000)}, ` : "still, since "}
              <RelativeTime at={at} />
            </span>
          </span>
          <span className="meta">{why}</span>
        </li>
      ))}
    </ol>
  );
}

/** The lines that a firing was about. */
function around({ query, minutes }: AlertCondition, at: string, ended?: string) {
  const start = Date.parse(at) - minutes * 60_000;
  const end = ended ? Date.parse(ended) : Date.parse(at) + minutes * 60_000;
  return { ...(query ? { q: query } : {}), from: new Date(start).toISOString(), to: new Date(end).toISOString() };
}
