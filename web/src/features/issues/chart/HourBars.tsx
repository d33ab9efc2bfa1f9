import "uplot/dist/uPlot.min.css";
import { Table2 } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import { count } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { layers, type Mark, type Series } from "./layers";

type Props = {
  title: string;
  meta?: ReactNode;
  /** Seconds since 1970, one per bar. */
  hours: number[];
  series: Series[];
  /** Instants to be marked by a dashed line: releases. */
  marks?: Mark[];
  height?: number;
};

/** Bars per hour, one layer above the other, with the same numbers as a table. */
export function HourBars({ title, meta, hours, series, marks = [], height = 132 }: Props) {
  const [table, setTable] = useState(false);
  const shown = series.filter(({ values }, at) => at === 0 || values.some(Boolean));
  return (
    <section aria-label={title}>
      <div className="section-head">
        <h2>{title}</h2>
        <span className="meta">{meta}</span>
        <span className="actions">
          <Button kind="quiet" size="small" icon={Table2} aria-pressed={table} onClick={() => setTable(!table)}>
            {table ? "Chart" : "Table"}
          </Button>
        </span>
      </div>
      {table ? <Numbers title={title} hours={hours} series={shown} /> : <Chart title={title} hours={hours} series={shown} marks={marks} height={height} />}
    </section>
  );
}

function Numbers({ title, hours, series }: Pick<Props, "title" | "hours" | "series">) {
  const rows = hours.map((hour, at) => ({ hour, at })).filter(({ at }) => series.some(({ values }) => values[at]));
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls and must be reachable
    <div className="issues-numbers" role="region" aria-label={`${title}, as a table`} tabIndex={0}>
      <table className="table compact">
        <thead>
          <tr>
            <th scope="col">Hour, UTC</th>
            {series.map(({ label }) => (
              <th key={label} scope="col" className="num">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.toReversed().map(({ hour, at }) => (
            <tr key={hour}>
              <td>{new Date(hour * 1000).toISOString().slice(0, 16).replace("T", " ")}</td>
              {series.map(({ label, values }) => (
                <td key={label} className="num">
                  {count(values[at] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** An hour of the day, and at its beginning the day. */
function tickWords(seconds: number): string {
  const at = new Date(seconds * 1000);
  return at.getHours() === 0 ? day.format(at) : time.format(at);
}

/** Colours are read when drawing, so that the chart follows the theme. */
const role = (name: string) => () => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Dashed lines with their words beside them, over the bars; where words would lie upon others the line stands alone. */
function drawMarks(plot: uPlot, marked: Mark[]): void {
  const { ctx, bbox } = plot;
  const ratio = window.devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = role("control")();
  ctx.fillStyle = role("text-muted")();
  ctx.font = `${11 * ratio}px ${getComputedStyle(plot.root).fontFamily}`;
  ctx.textBaseline = "top";
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  let free = bbox.left;
  for (const { at, label } of marked.toSorted((a, b) => a.at - b.at)) {
    const x = Math.round(plot.valToPos(at - 1800, "x", true));
    const width = ctx.measureText(label).width + 8 * ratio;
    const before = x - width >= free;
    const after = !before && x >= free && x + width <= bbox.left + bbox.width;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.textAlign = before ? "right" : "left";
    if (before || after) ctx.fillText(label, x + (before ? -5 : 5) * ratio, bbox.top);
    free = after ? x + width : Math.max(free, x);
  }
  ctx.restore();
}

function Chart({ title, hours, series, marks, height }: Required<Pick<Props, "title" | "hours" | "series" | "marks" | "height">>) {
  const host = useRef<HTMLDivElement>(null);
  const key = JSON.stringify([hours, series, marks]);
  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const [xs, drawn, marked] = JSON.parse(key) as [number[], Series[], Mark[]];
    const axis = { stroke: role("text-muted"), font: `11px ${getComputedStyle(element).fontFamily}`, grid: { stroke: role("hairline"), width: 1 }, ticks: { show: false } };
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height,
        hooks: { draw: [(plot) => drawMarks(plot, marked)] },
        cursor: { show: false },
        legend: { show: false },
        padding: [8, 0, 0, 0],
        scales: { x: { range: (_, from, to) => [from - 1800, to + 1800] }, y: { range: (_, __, to) => [0, Math.max(4, to)] } },
        axes: [
          { ...axis, grid: { show: false }, size: 24, space: 72, values: (plot, ticks) => ticks.map((tick) => (plot.valToPos(tick, "x") < 18 ? "" : tickWords(tick))) },
          { ...axis, side: 1, size: 44, space: 28, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? count(tick) : "")) },
        ],
        series: [{}, ...drawn.toReversed().map(({ label, colour }) => ({ label, fill: role(colour), width: 0, points: { show: false }, paths: uPlot.paths.bars?.({ size: [0.72, 28], align: 0 }) }))],
      },
      [xs, ...layers(drawn.map(({ values }) => values)).toReversed()] as uPlot.AlignedData,
      element,
    );
    const resize = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    const repaint = () => chart.redraw(false, true);
    const theme = new MutationObserver(repaint);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", repaint);
    return () => {
      resize.disconnect();
      theme.disconnect();
      system.removeEventListener("change", repaint);
      chart.destroy();
    };
  }, [key, height]);
  const said = marks.length > 0 ? `; releases: ${marks.map(({ label }) => label).join(", ")}` : "";
  const total = series.map(({ label, values }) => `${count(values.reduce((sum, value) => sum + value, 0))} ${label}`).join(", ");
  return (
    <>
      <div ref={host} className="issues-chart" role="img" aria-label={`${title}: ${total}${said}`} />
      {series.length > 1 && (
        <ul className="issues-legend meta">
          {series.map(({ label, colour }) => (
            <li key={label}>
              <i style={{ background: `var(--${colour})` }} />
              {label}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
