import { count, plural } from "@/format/bytes";
import { RelativeTime } from "@/ui/RelativeTime";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { Bar } from "./Bar";
import type { Rollout } from "./queries";
import { batchName, limitOf, partsWords } from "./state";

type Batch = Rollout["batch_list"][number];

/** One bar for each batch. Pressing a name shows its nodes. */
export function Batches({ rollout, onBatch }: { rollout: Rollout; onBatch: (batch: number) => void }) {
  return (
    <section aria-label="Batches">
      <h2>Batches</h2>
      <ol className="edge-batches">
        {rollout.batch_list.map((batch) => (
          <li key={batch.number}>
            <button type="button" className="line" onClick={() => onBatch(batch.number)}>
              <StatusGlyph status={standing(batch)} label={standing(batch)} />
              <b>{batchName(batch)}</b>
              <span className="muted num">{count(batch.size)}</span>
            </button>
            <span className="meta">{batch.closed_at ? <RelativeTime at={batch.closed_at} /> : batch.opened_at ? <>since <RelativeTime at={batch.opened_at} /></> : staged(batch)}</span>
            <Bar counts={batch.counts} label={batchName(batch)} />
            <span className="meta desc">{partsWords(batch.counts)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

const standing = ({ opened_at: opened, closed_at: closed }: Batch) => (closed ? "succeeded" : opened ? "running" : "pending");

function staged({ agent_counts: agents }: Batch): string {
  const ready = agents.staged ?? 0;
  return ready > 0 ? `${count(ready)} have it staged` : "waits";
}

/** How near the rollout is to pausing by itself. */
export function StopLine({ threshold }: { threshold: Rollout["threshold"] }) {
  const limit = limitOf(threshold);
  if (!limit) return null;
  const style = (name: string, share: number) => ({ [name]: `${share * 100}%` }) as React.CSSProperties;
  return (
    <section aria-label="Stop line">
      <h2>Stop line</h2>
      <div className="edge-limit">
        <div className="stack" role="img" aria-label={`${plural(limit.failed, "failure")}; ${limit.words}`}>
          {limit.failed > 0 && <i className="failed" style={style("--v", limit.share)} />}
          <b style={style("--at", limit.at)} />
        </div>
        <span className="lab" style={{ left: 0 }}>
          {plural(limit.failed, "failure")}
        </span>
        <span className="lab" style={{ left: `${limit.at * 100}%` }}>
          {limit.stops}
        </span>
      </div>
      <p className="meta">{limit.words}</p>
    </section>
  );
}
