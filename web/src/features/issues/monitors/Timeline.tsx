import { clockTime, utcTime } from "@/format/time";
import { classes } from "@/ui/classes";
import { Segmented } from "@/ui/Segmented";
import { useNow } from "@/ui/useNow";
import type { CheckIn } from "./queries";
import { checkInGlyph, checkInWord, marks, tookWords } from "./words";

type Props = { list: CheckIn[]; more: boolean; span: number; onSpan: (hours: number) => void };

/** Check-ins where they happened: a gap is a gap. The table below has the same in words. */
export function Timeline({ list, more, span, onSpan }: Props) {
  const now = useNow(true, 30);
  const shown = marks(list, now, span);
  const counted = new Map<string, number>();
  for (const { checkIn } of shown) counted.set(checkInWord(checkIn), (counted.get(checkInWord(checkIn)) ?? 0) + 1);
  const summary = [...counted].map(([word, times]) => `${times} ${word}`).join(", ") || "nothing";
  const oldest = list.at(-1);
  const cut = more && oldest && shown.length === list.length;
  return (
    <section aria-label="Timeline">
      <div className="section-head">
        <h2>Timeline</h2>
        <span className="meta">{cut ? `${summary}; older ones are further down` : summary}</span>
        <span className="actions">
          <Segmented
            label="Time"
            value={String(span)}
            onChange={(next) => onSpan(Number(next))}
            options={[
              { value: "24", label: "24 h" },
              { value: "168", label: "7 d" },
              { value: "720", label: "30 d" },
            ]}
          />
        </span>
      </div>
      <div className="issues-timeline" role="img" aria-label={`Check-ins of the last ${span} hours: ${summary}`}>
        {shown.map(({ checkIn, at }) => (
          <i key={checkIn.id} className={classes("mark", checkInGlyph(checkIn))} style={{ left: `${at * 100}%` }} title={`${checkInWord(checkIn)}, ${utcTime(checkIn.started_at)}, ${tookWords(checkIn)}`} />
        ))}
      </div>
      <div className="issues-axis meta" aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <span key={share}>{share === 1 ? "now" : tick(now - (1 - share) * span * 3_600_000, span)}</span>
        ))}
      </div>
    </section>
  );
}

function tick(at: number, span: number): string {
  if (span <= 24) return clockTime(at).slice(0, 5);
  return new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}
