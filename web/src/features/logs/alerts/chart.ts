import type { AlertCondition, AlertPreview } from "./queries";

/** One bar of the chart of a preview, in parts of its width and height. */
export type PreviewBar = { x: number; width: number; height: number; met: boolean; at: number; value: number };

export type PreviewChart = {
  bars: PreviewBar[];
  /** Where a value meets the condition, from the ground up; nothing for conditions without a value. */
  limit: number | undefined;
  /** When it would have been firing. */
  spells: { x: number; width: number }[];
  from: number;
  to: number;
  most: number;
};

function met({ kind, op, value = 0 }: AlertCondition, measured: number): boolean {
  if (kind === "absence") return measured === 0;
  if (kind === "pattern") return measured > 0;
  switch (op) {
    case ">=":
      return measured >= value;
    case "<":
      return measured < value;
    case "<=":
      return measured <= value;
    default:
      return measured > value;
  }
}

/** Lays the values of a preview out, with the limit and the spells in which it would have been firing. */
export function layOut({ points, firings, step_ms: step }: Pick<AlertPreview, "points" | "firings" | "step_ms">, condition: AlertCondition): PreviewChart | undefined {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return undefined;
  const from = Date.parse(first.at);
  const to = Date.parse(last.at) + step;
  const length = to - from;
  const limited = condition.kind === "threshold" || condition.kind === "ratio";
  const value = limited ? (condition.value ?? 0) : 0;
  const most = Math.max(limited ? value * 1.25 : 0, ...points.map((point) => point.value ?? 0)) || 1;
  const bars = points.flatMap((point): PreviewBar[] => {
    if (point.value === null) return [];
    const at = Date.parse(point.at);
    return [{ x: (at - from) / length, width: step / length, height: Math.max(0, point.value) / most, met: met(condition, point.value), at, value: point.value }];
  });
  const spells = firings.map((firing) => {
    const start = Math.max(from, Date.parse(firing.at));
    const end = Math.min(to, firing.ended_at ? Date.parse(firing.ended_at) : to);
    return { x: (start - from) / length, width: Math.max(0.002, (end - start) / length) };
  });
  return { bars, limit: limited ? value / most : undefined, spells, from, to, most };
}
