import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { bytes, count, plural } from "@/format/bytes";
import { RelativeTime } from "@/ui/RelativeTime";
import { RunStrip } from "@/ui/RunStrip";
import { Notice } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { useNow } from "@/ui/useNow";
import { sizesQuery, sourcesQuery } from "../limits/queries";
import { limitsPath } from "../paths";

const often = 10_000;
const hour = 3_600_000;

/** By which ways lines came and when last, what was rejected, and what they take. */
export function Intake({ team }: { team: string }) {
  const sources = useQuery({ ...sourcesQuery(team), refetchInterval: often });
  const sizes = useQuery(sizesQuery(team));
  const [opened] = useState(() => Date.now());
  const now = Math.max(opened, useNow(true, 60));
  const seen = sources.data?.sources ?? [];
  const kept = sizes.data;
  if (seen.length === 0) return null;
  const today = kept?.days.at(-1);
  return (
    <section className="logs-intake" aria-label="What came in">
      <h2>What came in</h2>
      <ul className="rows">
        {seen.map(({ source, last_seen: last, lines, bytes: size, rejected }) => (
          <li key={source}>
            <StatusGlyph status={now - Date.parse(last) < hour ? "succeeded" : "pending"} />
            <b>{source}</b>
            <span className="meta">
              {plural(lines, "line")}, {bytes(size)}
            </span>
            <span className="meta push">
              last seen <RelativeTime at={last} />
            </span>
            {rejected.map(({ reason, count: times, last: when }) => (
              <p key={reason} className="failed">
                {count(times)} rejected: {reason}, last <RelativeTime at={when} />
              </p>
            ))}
          </li>
        ))}
      </ul>
      {kept && today && (
        <p className="line">
          <RunStrip label="bytes a day" bars={kept.days.slice(-30).map(({ raw }) => ({ status: "count", value: raw }))} />
          <span className="meta">
            {bytes(today.raw)} today, {bytes(today.disk)} on disk
            {kept.retention.days > 0 && `; kept ${plural(kept.retention.days, "day")}`}
            {kept.forecast_days !== null && `, but at this rate the room for ${bytes(kept.retention.bytes)} ends after ${plural(kept.forecast_days, "day")}`}
          </span>
          <Link className="link push" to={limitsPath(team)}>
            By day and stream
          </Link>
        </p>
      )}
      {kept?.damage.map(({ file, detail, lines }) => (
        <Notice key={file} kind="bad">
          {file} is damaged and left out of searches: {detail}
          {lines ? ` (${plural(lines, "line")})` : ""}
        </Notice>
      ))}
    </section>
  );
}
