import { plain } from "@/ui/ansi";
import { classes } from "@/ui/classes";
import type { TimeShown } from "../build/search";
import type { Step } from "../queries";
import type { Block, Layout } from "./blocks";
import { FoldHeading } from "./FoldHeading";
import { LogRow } from "./LogRow";
import { inRange, type Range } from "./ranges";
import type { LogStore } from "./store";
import { looksBad } from "./text";
import type { Pane } from "./useViewport";

type Props = {
  pane: Pane;
  layout: Layout;
  store: LogStore;
  steps: Map<string, Step>;
  now: number;
  start?: string;
  time: TimeShown;
  wrap: boolean;
  range: Range | null;
  pattern: RegExp | null;
  current: number;
  /** The step whose bad lines are marked. */
  failing?: string;
  onToggle: (block: Block) => void;
};

/** What is in sight of the log, and a little more. */
export function LogList({ pane, layout, wrap, steps, now, onToggle, ...rest }: Props) {
  "use no memo";
  return (
    <div className="log-space" style={{ height: pane.getTotalSize() }}>
      {pane.getVirtualItems().map(({ index, key, start }) => {
        const item = layout.item(index);
        return (
          <div key={key} ref={wrap ? pane.measureElement : undefined} data-index={index} className={classes("log-item")} style={{ transform: `translateY(${start}px)` }}>
            {item.kind === "heading" ? (
              <FoldHeading block={item.block} open={item.open} steps={steps} now={now} onToggle={() => onToggle(item.block)} />
            ) : (
              <Lines first={item.first} last={item.last} block={item.block} steps={steps} {...rest} />
            )}
          </div>
        );
      })}
    </div>
  );
}

type LinesProps = Pick<Props, "store" | "steps" | "start" | "time" | "range" | "pattern" | "current" | "failing"> & { first: number; last: number; block: Block };

function Lines({ first, last, block, store, steps, start, time, range, pattern, current, failing }: LinesProps) {
  "use no memo";
  const rows = [];
  for (let n = first; n <= last; n += 1) {
    const line = store.line(n);
    const above = store.line(n - 1);
    const mixed = block.steps.length > 1 && line && (n === first || above?.step !== line.step);
    rows.push(
      <LogRow
        key={n}
        n={n}
        line={line}
        before={above?.t}
        start={start}
        time={time}
        linked={inRange(n, range)}
        bad={failing !== undefined && line?.step === failing && looksBad(plain(line.text))}
        pattern={pattern}
        current={n === current}
        step={mixed ? steps.get(line.step)?.name || line.step : undefined}
      />,
    );
  }
  return rows;
}
