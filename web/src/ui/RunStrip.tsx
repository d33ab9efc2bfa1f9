import { classes } from "./classes";
import { type Status, statusWord } from "./status";

/** One bar. `value` is a duration or a count; `status` "count" carries no outcome. */
export type Bar = { status: Status | "count"; value: number };

type Props = {
  bars: Bar[];
  /** What the bars are, read aloud: "web, last 20 builds". */
  label: string;
  size?: "row" | "head";
  /** Fill up with empty places at the left, so that the newest bars of all rows stand in one line. */
  slots?: number;
};

const forms: Partial<Record<Status | "count", string>> = {
  succeeded: "s",
  failed: "f",
  errored: "e",
  aborted: "a",
  running: "r",
  paused: "p",
  pending: "q",
  skipped: "q",
  count: "d",
};

/** The run strip: 4 px bars, newest at the right, in the same place on every row and header. */
export function RunStrip({ bars, label, size = "row", slots = 0 }: Props) {
  const heights = scale(bars, size === "head" ? 20 : 13);
  const empty = Math.max(0, slots - bars.length);
  return (
    <span className={classes("strip", size === "head" && "head-size")} role="img" aria-label={`${label}: ${summary(bars)}`}>
      {Array.from({ length: empty }, (_, at) => (
        <i key={`z${at}`} className="z" />
      ))}
      {bars.map((bar, at) => {
        const form = bar.status === "count" && bar.value === 0 ? "z" : (forms[bar.status] ?? "q");
        const now = bar.status === "count" && at === bars.length - 1;
        return <i key={at} className={classes(form, now && "now")} style={{ "--h": heights[at] } as React.CSSProperties} />;
      })}
    </span>
  );
}

/** Heights from 5 px up, against the longest; a lone bar is not made a giant. */
function scale(bars: Bar[], top: number): number[] {
  const most = Math.max(...bars.map((bar) => bar.value), 0);
  const floor = 5;
  return bars.map((bar) => {
    if (bar.status === "count") return most === 0 ? 1 : Math.max(2, Math.round((bar.value / most) * top));
    return most === 0 ? floor + 3 : Math.round(floor + (bar.value / most) * (top - floor));
  });
}

function summary(bars: Bar[]): string {
  if (bars.length === 0) return "nothing yet";
  if (bars.every((bar) => bar.status === "count")) return `${bars.reduce((sum, bar) => sum + bar.value, 0)} in all`;
  const counts = new Map<string, number>();
  for (const bar of bars) {
    const word = bar.status === "count" ? "counted" : statusWord(bar.status).toLowerCase();
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${count} ${word}`).join(", ");
}
