import { useQuery } from "@tanstack/react-query";
import { Table2 } from "lucide-react";
import { useState } from "react";
import { asProblem } from "@/api/problem";
import { count, plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Skeleton } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { CrashFree } from "./Shares";
import { floorOf, type HealthBar, healthBars } from "./health";
import { type Release, releaseHealthQuery } from "./queries";
import { healthStatus, percent } from "./words";

const when = (iso: string) => `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;

/** How many sessions of a release did not crash, over two weeks, with the same numbers as a table. */
export function HealthChart({ release }: { release: Release }) {
  const { data, error } = useQuery(releaseHealthQuery(release.id));
  const [table, setTable] = useState(false);
  if (error) return <Notice kind="bad">{asProblem(error).message}</Notice>;
  const bars = healthBars(data?.hours ?? []);
  // Who sends no sessions is told so below.
  if (data && bars.every(({ sessions }) => sessions === 0)) return null;
  const floor = floorOf(bars);
  return (
    <section aria-label="Crash-free over time">
      <div className="section-head">
        <h2>Crash-free over time</h2>
        <span className="meta">two weeks, 6 hours a bar; bars begin at {Math.round(floor * 100)} %</span>
        <span className="actions">
          <Button kind="quiet" size="small" icon={Table2} aria-pressed={table} onClick={() => setTable(!table)}>
            {table ? "Chart" : "Table"}
          </Button>
        </span>
      </div>
      {!data ? <Skeleton height={64} /> : table ? <Numbers bars={bars} /> : <Bars bars={bars} floor={floor} share={data.crash_free} />}
    </section>
  );
}

function Bars({ bars, floor, share }: { bars: HealthBar[]; floor: number; share: number | null }) {
  const worst = bars.reduce<HealthBar | undefined>((least, bar) => (bar.share !== null && bar.share < (least?.share ?? 2) ? bar : least), undefined);
  const said = `${percent(share, 2) ?? "nothing"} in all${worst ? `, at worst ${percent(worst.share, 2)} from ${when(worst.from)}` : ""}`;
  return (
    <div className="issues-health" role="img" aria-label={`Crash-free over time: ${said}`}>
      {bars.map(({ from, share: one, sessions, crashed }) => (
        <span key={from} title={one === null ? `${when(from)}: no sessions` : `${when(from)}: ${percent(one, 2)}, ${count(crashed)} of ${plural(sessions, "session")} crashed`}>
          {one !== null && <i className={healthStatus(one)} style={{ height: `${Math.max(4, ((one - floor) / (1 - floor)) * 100)}%` }} />}
        </span>
      ))}
    </div>
  );
}

function Numbers({ bars }: { bars: HealthBar[] }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls and must be reachable
    <div className="issues-numbers" role="region" aria-label="Crash-free over time, as a table" tabIndex={0}>
      <table className="table compact">
        <thead>
          <tr>
            <th scope="col">From, UTC</th>
            <th scope="col">Crash-free</th>
            <th scope="col" className="num">
              Sessions
            </th>
            <th scope="col" className="num">
              Crashed
            </th>
          </tr>
        </thead>
        <tbody>
          {bars
            .filter(({ sessions }) => sessions > 0)
            .toReversed()
            .map(({ from, share, sessions, crashed }) => (
              <tr key={from}>
                <td>{when(from)}</td>
                <td>
                  <CrashFree share={share} />
                </td>
                <td className="num">{count(sessions)}</td>
                <td className="num">{count(crashed)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
