import { type PointerEvent, useState } from "react";
import { ticks } from "../explore/bars";
import { clock, dayOf } from "../explore/range";
import type { PreviewBar, PreviewChart } from "./chart";
import { valueWords } from "./form";
import type { AlertCondition } from "./queries";

/** Values over time, those that meet the condition in the colour of failure; the limit as a line, spells of firing as bands. */
export function PreviewPlot({ chart, condition }: { chart: PreviewChart; condition: AlertCondition }) {
  const [over, setOver] = useState<PreviewBar>();
  const { bars, limit, spells, from, to, most } = chart;
  const long = to - from > 2 * 86_400_000;
  const point = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - box.left) / Math.max(1, box.width);
    setOver(bars.find((bar) => x >= bar.x && x < bar.x + bar.width));
  };
  const when = (at: number) => `${long ? `${dayOf(at, false)} ` : ""}${clock(at, false, false)}`;
  const metTimes = bars.filter(({ met }) => met).length;
  return (
    <div className="logs-plot">
      <div
        className="plot"
        role="img"
        aria-label={`Values over time, at most ${valueWords(most, condition.kind)}; ${metTimes} of ${bars.length} meet the condition, firing ${spells.length} times. The list below holds each time.`}
        onPointerMove={point}
        onPointerLeave={() => setOver(undefined)}
      >
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          {spells.map(({ x, width }, at) => (
            <rect key={at} className="spell" x={x * 100} width={width * 100} y={0} height={100} />
          ))}
          {bars.map(({ x, width, height, met, at }) => (
            <rect key={at} className={met ? "met" : "bar"} x={(x + width * 0.1) * 100} width={width * 80} y={100 - Math.max(height * 100, met ? 2 : 0)} height={Math.max(height * 100, met ? 2 : 0)} />
          ))}
        </svg>
        {limit !== undefined && <i className="limit" style={{ bottom: `${Math.min(1, limit) * 100}%` }} />}
        {limit !== undefined && (
          <span className="limit-word meta num" style={{ bottom: `${Math.min(0.84, limit) * 100}%` }}>
            {valueWords(condition.value ?? 0, condition.kind)}
          </span>
        )}
        {over && (
          <span className="said meta num">
            {when(over.at)} · {valueWords(over.value, condition.kind)}
          </span>
        )}
      </div>
      <div className="axis meta" aria-hidden="true">
        {ticks(from, to, 6, false)
          .map((at) => ({ at, x: (at - from) / (to - from) }))
          .filter(({ x }) => x > 0.04 && x < 0.96)
          .map(({ at, x }) => (
            <span key={at} style={{ left: `${x * 100}%` }}>
              {long ? dayOf(at, false) : clock(at, false, false)}
            </span>
          ))}
      </div>
    </div>
  );
}
