import { ArrowDown, ArrowUp, History, ListFilter, WrapText } from "lucide-react";
import { bytes, count, plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import type { Found, Histogram } from "../queries";
import { type Chart } from "./bars";
import { levelRole } from "./levels";
import { hasPipe, hasTerm, term } from "./terms";
import type { Explore } from "./useExplore";

type Props = { explore: Explore; histogram?: Histogram; chart?: Chart; found?: Found; shown: number; tailing: boolean };

/** What is shown out of how much, what it cost, and how rows are drawn. */
export function StatusLine({ explore, histogram, chart, found, shown, tailing }: Props) {
  const { search, set, oldest, query } = explore;
  const cost = found?.stats;
  return (
    <div className="logs-status">
      <span role="status">
        {histogram ? (
          <>
            <b>{count(histogram.total)}</b> {histogram.total === 1 ? "line" : "lines"}
          </>
        ) : (
          "Counting"
        )}
      </span>
      {chart && (
        <span className="levels" role="group" aria-label="Levels">
          {chart.levels.map(({ level, lines }) => {
            const condition = term("level", level);
            const on = hasTerm(query, condition);
            return (
              <button key={level} type="button" aria-pressed={on} onClick={() => (on ? explore.widen(condition) : explore.narrow(condition))} title={on ? "All levels again" : `Only ${level}`}>
                <i className={`l-${level}`} style={{ background: `var(--${levelRole[level]})` }} />
                {level} <span className="num">{count(lines)}</span>
              </button>
            );
          })}
        </span>
      )}
      {found && !found.columns && !tailing && histogram && histogram.total > shown && !hasPipe(query) && (
        <span>
          showing the {oldest ? "oldest" : "newest"} {count(shown)}
        </span>
      )}
      {cost && (
        <span className="cost desk">
          scanned {bytes(cost.bytes)} in {count(cost.took_ms)} ms{cost.segments > 0 && `, ${plural(cost.segments, "segment")}`}
        </span>
      )}
      <span className="ways">
        <Button kind="quiet" size="small" icon={History} aria-pressed={Boolean(search.yesterday)} onClick={() => set({ yesterday: search.yesterday ? undefined : true })} className="desk">
          Yesterday
        </Button>
        {!found?.columns && !search.tab && (
          <>
            <Button kind="quiet" size="small" icon={ListFilter} aria-haspopup="dialog" aria-expanded={Boolean(search.facets)} onClick={() => set({ facets: search.facets ? undefined : true })} className="logs-narrow">
              Fields
            </Button>
            <Button kind="quiet" size="small" icon={oldest ? ArrowUp : ArrowDown} onClick={() => set({ order: oldest ? undefined : "oldest" })} refused={tailing && "A tail shows the newest first."}>
              {oldest ? "Oldest first" : "Newest first"}
            </Button>
            <Button kind="quiet" size="small" icon={WrapText} aria-pressed={Boolean(search.wrap)} onClick={() => set({ wrap: search.wrap ? undefined : true })} className="desk">
              Wrap
            </Button>
          </>
        )}
      </span>
    </div>
  );
}
