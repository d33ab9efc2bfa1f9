import type { Status } from "@/ui/status";
import type { Run } from "./queries";

const shown: Record<Run["status"], Status> = { running: "running", answered: "succeeded", refused: "skipped", failed: "failed", interrupted: "errored" };

/** The form that a run's outcome is shown in. */
export const statusOf = (run: Run): Status => shown[run.status];

/** Runs by the day they were asked on, seen from now. */
export function byDay(runs: Run[], now: Date): { title: string; runs: Run[] }[] {
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const day = (run: Run) => {
    const ago = (midnight.getTime() - new Date(run.started_at).getTime()) / 86_400_000;
    return ago <= 0 ? "Today" : ago <= 1 ? "Yesterday" : "Earlier";
  };
  return ["Today", "Yesterday", "Earlier"].map((title) => ({ title, runs: runs.filter((run) => day(run) === title) })).filter(({ runs: list }) => list.length > 0);
}

/** What a run took, in one line. */
export function effort(run: Run): string {
  const calls = run.calls === 1 ? "1 look-up" : `${run.calls} look-ups`;
  return `${run.calls === 0 ? "nothing looked up" : calls} · ${run.milliseconds < 1000 ? `${run.milliseconds} ms` : `${(run.milliseconds / 1000).toFixed(1)} s`}`;
}
