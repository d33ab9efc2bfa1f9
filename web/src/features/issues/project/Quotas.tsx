import { useQuery } from "@tanstack/react-query";
import { count } from "@/format/bytes";
import { Progress } from "@/ui/facts";
import { Notice } from "@/ui/states";
import { ingestQuery, type Project } from "../queries";
import { limitWords } from "./limits";
import { spanOf, type Used, used, warning } from "./quota";

/** How much of each limit is used, before anything is lost. */
export function Quotas({ project }: { project: Project }) {
  const counted = project.limits.filter((limit) => spanOf(limit) > 0);
  const hour = useQuery({ ...ingestQuery(project.id, 1), enabled: counted.some(({ per }) => per === "hour") }).data;
  const month = useQuery({ ...ingestQuery(project.id, 720), enabled: counted.some(({ per }) => per === "month") }).data;
  const shown = counted.flatMap((limit): Used[] => {
    const ingest = limit.per === "hour" ? hour : month;
    return ingest ? [used(limit, ingest)] : [];
  });
  if (shown.length === 0) return null;
  const near = shown.filter((one) => warning(one) === "near");
  return (
    <section aria-label="Limits">
      <div className="section-head">
        <h2>Limits</h2>
        <span className="meta">used in this hour or in 30 days</span>
      </div>
      {near.length > 0 && <Notice kind="warn">{near.map(({ limit }) => limitWords(limit)).join(" and ")} will soon be used up: what comes then is refused. Raise the limit, or send less.</Notice>}
      <ul className="grid gap-2 pt-2">
        {shown.map((one) => (
          <li key={limitWords(one.limit)} className="issues-quota">
            <span>{limitWords(one.limit)}</span>
            <Progress value={one.share} label={`${limitWords(one.limit)}: used`} />
            <span className="num">
              {count(one.used)}, {Math.round(one.share * 100)} %
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
