import { memo } from "react";
import { pieces } from "@/ui/ansi";
import { classes } from "@/ui/classes";
import type { TimeShown } from "../build/search";
import type { StoredLine } from "./store";
import { delta, lineTime, mark, readersClock } from "./text";

type Props = {
  n: number;
  line: StoredLine | undefined;
  /** Time of the line above. */
  before?: string;
  start?: string;
  time: TimeShown;
  linked: boolean;
  bad: boolean;
  pattern: RegExp | null;
  /** The match that is looked at is in this line. */
  current: boolean;
  /** Named where lines of several steps alternate. */
  step?: string;
};

/** One line; only what is in sight is ever parsed for colours. */
export const LogRow = memo(function LogRow({ n, line, before, start, time, linked, bad, pattern, current, step }: Props) {
  return (
    <div className={classes("log-line", linked && "linked", bad && "bad", current && "current")} data-n={n}>
      <a className="ln" href={`#L${n}`} data-ln={n} aria-label={`Line ${n}`} tabIndex={-1}>
        {n}
      </a>
      {time !== "off" && <LineTimes line={line} before={before} start={start} time={time} />}
      <span className="tx">
        {step && <span className="step-mark">{step}</span>}
        {line ? <Text line={line} pattern={pattern} current={current} /> : <span className="a-dim">…</span>}
      </span>
    </div>
  );
});

function LineTimes({ line, before, start, time }: Pick<Props, "line" | "before" | "start"> & { time: "relative" | "utc" }) {
  if (!line) return <span className="tm span" />;
  const passed = delta(line.t, before);
  return (
    <>
      <time className="tm" dateTime={line.t} title={readersClock(line.t)}>
        {lineTime(line.t, time, start)}
      </time>
      <span className={classes("dt", passed.slow && "slow")}>{passed.text}</span>
    </>
  );
}

function Text({ line, pattern, current }: { line: StoredLine; pattern: RegExp | null; current: boolean }) {
  return mark(pieces(line.text, line.carry), pattern).map((piece, at) => {
    const style = piece.color || piece.background ? { color: piece.color, backgroundColor: piece.background } : undefined;
    if (piece.hit) {
      return (
        <mark key={at} className={classes(current && "at")}>
          {piece.text}
        </mark>
      );
    }
    if (!piece.className && !style) return piece.text;
    return (
      <span key={at} className={piece.className} style={style}>
        {piece.text}
      </span>
    );
  });
}
