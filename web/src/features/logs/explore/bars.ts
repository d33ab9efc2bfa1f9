import type { Histogram, Level } from "../queries";
import { levels } from "./levels";

/** A bar of the chart: its stretch, what it holds, and its layers as shares of the highest. */
export type Bar = { from: number; to: number; total: number; counts: Partial<Record<Level, number>>; layers: { level: Level; base: number; height: number }[] };

export type Chart = { bars: Bar[]; most: number; levels: { level: Level; lines: number }[] };

/** Lays the bars of a histogram out over a stretch of time, the worst level at the ground. */
export function chartOf(histogram: Histogram): Chart {
  const bars = histogram.bars.map((bar) => {
    const from = Date.parse(bar.start);
    const counts = bar.counts as Bar["counts"];
    return { from, to: from + histogram.step_ms, counts, total: Object.values(bar.counts).reduce((sum, lines) => sum + lines, 0) };
  });
  const most = Math.max(1, ...bars.map(({ total }) => total));
  const laid = bars.map((bar): Bar => {
    let base = 0;
    const layers = levels.flatMap((level) => {
      const height = (bar.counts[level] ?? 0) / most;
      const layer = { level, base, height };
      base += height;
      return height > 0 ? [layer] : [];
    });
    return { ...bar, layers };
  });
  const sums = levels.map((level) => ({ level, lines: bars.reduce((sum, { counts }) => sum + (counts[level] ?? 0), 0) }));
  return { bars: laid, most, levels: sums.filter(({ lines }) => lines > 0) };
}

/** Round instants for the axis, about as many as wanted. */
export function ticks(from: number, to: number, wanted: number, utc: boolean): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800].map((seconds) => seconds * 1000);
  const step = steps.find((size) => (to - from) / size <= wanted) ?? (to - from) / wanted;
  // Local days begin where the clock says so.
  const offset = utc ? 0 : new Date(from).getTimezoneOffset() * 60_000;
  const found: number[] = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) found.push(at);
  return found;
}
