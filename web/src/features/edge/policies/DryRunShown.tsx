import { plural } from "@/format/bytes";
import { Notice } from "@/ui/states";
import { batchName } from "../rollouts/state";
import type { DryRun } from "./queries";
import { skippedBy } from "./words";

/** Whom a rollout would reach, in which order, and whom it leaves out and why. */
export function DryRunShown({ dry }: { dry: DryRun }) {
  return (
    <div className="grid gap-2" aria-label="Simulation" role="region">
      {dry.problems.map((problem) => (
        <Notice key={problem} kind="bad">
          {problem}
        </Notice>
      ))}
      <p>
        <b>{plural(dry.total, "node")}</b> in {plural(dry.batches.length, "batch", "batches")}
        {dry.bundle && (
          <>
            , bundle <b>{dry.bundle.id}</b>
          </>
        )}
      </p>
      <ol className="grid gap-1">
        {dry.batches.slice(0, 8).map((batch) => (
          <li key={batch.number} className="line">
            <b>{batchName(batch)}</b>
            <span className="muted">
              {plural(batch.size, "node")} at {plural(batch.sites, "site")}: {batch.nodes.slice(0, 4).map(({ name }) => name).join(", ")}
              {batch.size > 4 && " …"}
            </span>
          </li>
        ))}
        {dry.batches.length > 8 && <li className="meta">and {dry.batches.length - 8} more</li>}
      </ol>
      {skippedBy(dry.skipped).map(({ reason, names }) => (
        <p key={reason} className="meta">
          {plural(names.length, "node")} left out: {reason} ({names.slice(0, 4).join(", ")}
          {names.length > 4 && " …"})
        </p>
      ))}
    </div>
  );
}
