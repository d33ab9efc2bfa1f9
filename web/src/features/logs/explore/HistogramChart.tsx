import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type PointerEvent, useMemo, useRef, useState } from "react";
import { bytes, count } from "@/format/bytes";
import { classes } from "@/ui/classes";
import { type Histogram, histogramQuery } from "../queries";
import { type Bar, type Chart, chartOf, ticks } from "./bars";
import { levelRole } from "./levels";
import { absolute, clock, dayOf } from "./range";
import type { Explore } from "./useExplore";

const day = 86_400_000;

/** Lines over time, before the rows: drag to zoom, or press a bar. */
export function HistogramChart({ explore, histogram, stale }: { explore: Explore; histogram?: Histogram; stale: boolean }) {
  const { asked, span, search, utc } = explore;
  const chart = useMemo(() => histogram && chartOf(histogram), [histogram]);
  const before = useQuery({ ...histogramQuery({ ...asked, ...absolute({ from: span.from - day, to: span.to - day }) }), enabled: Boolean(search.yesterday), placeholderData: keepPreviousData });
  const ghost = useMemo(() => (search.yesterday && before.data ? chartOf(before.data) : undefined), [search.yesterday, before.data]);
  const most = Math.max(chart?.most ?? 1, ghost?.most ?? 1);
  return (
    <section className={classes("logs-chart", stale && "is-stale")} aria-label="Lines over time" aria-busy={stale || undefined}>
      <Plot explore={explore} chart={chart} ghost={ghost} most={most} />
      <Axis from={span.from} to={span.to} utc={utc} />
      <p className="top meta num" aria-hidden="true">
        {chart && chart.bars.length > 0 && `${count(most)} a bar`}
      </p>
      <Numbers chart={chart} histogram={histogram} utc={utc} />
    </section>
  );
}

type PlotProps = { explore: Explore; chart?: Chart; ghost?: Chart; most: number };

function Plot({ explore, chart, ghost, most }: PlotProps) {
  const { span, setRange } = explore;
  const length = span.to - span.from;
  const host = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ start: number; end: number }>();
  const [over, setOver] = useState<Bar>();
  const share = (at: number) => ((at - span.from) / length) * 100;
  const where = (event: PointerEvent) => {
    const box = host.current?.getBoundingClientRect();
    if (!box || box.width === 0) return 0;
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  };
  const barAt = (part: number) => {
    const at = span.from + part * length;
    return chart?.bars.find(({ from, to }) => at >= from && at < to);
  };
  const release = (event: PointerEvent) => {
    if (!drag) return;
    setDrag(undefined);
    const [first, last] = [Math.min(drag.start, drag.end), Math.max(drag.start, drag.end)];
    if ((last - first) * (host.current?.clientWidth ?? 0) > 4) setRange(absolute({ from: span.from + first * length, to: span.from + last * length }));
    else {
      const bar = barAt(where(event));
      if (bar && bar.to - bar.from >= 2 && bar.total > 0) setRange(absolute({ from: bar.from, to: bar.to }));
    }
  };
  const brushed = drag && chart ? sum(chart, span.from + Math.min(drag.start, drag.end) * length, span.from + Math.max(drag.start, drag.end) * length) : 0;
  return (
    <div
      ref={host}
      className="plot"
      role="img"
      aria-label={chart ? `Lines over time: ${chart.levels.map(({ level, lines }) => `${count(lines)} ${level}`).join(", ") || "none"}. Drag to zoom in; the table below it holds the same numbers.` : "Lines over time, being counted"}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ start: where(event), end: where(event) });
      }}
      onPointerMove={(event) => {
        if (drag) setDrag({ ...drag, end: where(event) });
        setOver(barAt(where(event)));
      }}
      onPointerUp={release}
      onPointerCancel={() => setDrag(undefined)}
      onPointerLeave={() => setOver(undefined)}
    >
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        {ghost?.bars.map((bar) => (
          <rect key={bar.from} className="ghost" x={share(bar.from + day)} width={((bar.to - bar.from) / length) * 100} y={100 - (bar.total / most) * 100} height={(bar.total / most) * 100} />
        ))}
        {chart?.bars.map((bar) => {
          const width = ((bar.to - bar.from) / length) * 100;
          return bar.layers.map(({ level, base, height }) => {
            const scale = (chart.most / most) * 100;
            return <rect key={`${bar.from}${level}`} className={`l-${level}`} style={{ fill: `var(--${levelRole[level]})` }} x={share(bar.from) + width * 0.1} width={width * 0.8} y={100 - (base + height) * scale} height={height * scale} />;
          });
        })}
      </svg>
      {drag && <i className="brush" style={{ left: `${Math.min(drag.start, drag.end) * 100}%`, width: `${Math.abs(drag.end - drag.start) * 100}%` }} />}
      {drag && Math.abs(drag.end - drag.start) > 0.005 ? (
        <span className="said meta">{count(brushed)} lines</span>
      ) : (
        over &&
        over.total > 0 && (
          <span className="said meta">
            {clock(over.from, explore.utc)} · {count(over.total)} lines
            {over.layers.length > 1 && ` · ${over.layers.map(({ level }) => `${count(over.counts[level] ?? 0)} ${level}`).join(", ")}`}
          </span>
        )
      )}
    </div>
  );
}

function sum(chart: Chart, from: number, to: number): number {
  return chart.bars.filter((bar) => bar.to > from && bar.from < to).reduce((lines, { total }) => lines + total, 0);
}

function Axis({ from, to, utc }: { from: number; to: number; utc: boolean }) {
  const long = to - from > day;
  const fine = to - from < 600_000;
  return (
    <div className="axis meta" aria-hidden="true">
      {ticks(from, to, 8, utc)
        .map((at) => ({ at, x: (at - from) / (to - from) }))
        // A word half beyond the edge says nothing.
        .filter(({ x }) => x > 0.02 && x < 0.98)
        .map(({ at, x }) => (
          <span key={at} style={{ left: `${x * 100}%` }}>
            {long ? `${dayOf(at, utc)} ${clock(at, utc, false)}` : clock(at, utc, fine)}
          </span>
        ))}
    </div>
  );
}

/** The same numbers for those who cannot see bars. */
function Numbers({ chart, histogram, utc }: { chart?: Chart; histogram?: Histogram; utc: boolean }) {
  if (!chart || !histogram) return null;
  return (
    <table className="sr">
      <caption>
        {count(histogram.total)} lines, {bytes(histogram.stats.bytes)} read
      </caption>
      <tbody>
        {chart.bars
          .filter(({ total }) => total > 0)
          .map(({ from, total }) => (
            <tr key={from}>
              <th scope="row">
                {dayOf(from, utc)} {clock(from, utc)}
              </th>
              <td>{total}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
