import type { Status } from "@/ui/status";
import type { Page, Run } from "./queries";

const shown: Record<Run["status"], Status> = { running: "running", answered: "succeeded", refused: "skipped", failed: "failed", interrupted: "errored" };

/** The form that a run's outcome is shown in. */
export const statusOf = (run: Run): Status => shown[run.status];

/** The word for it. */
export const statusWord = (run: Run): string => run.status;

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

/** How long something took. */
export const took = (milliseconds: number): string => (milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`);

/** What a run took, in one line. */
export function effort(run: Run): string {
  const calls = run.calls === 1 ? "1 look-up" : `${run.calls} look-ups`;
  return `${run.calls === 0 ? "nothing looked up" : calls} · ${took(run.milliseconds)}`;
}

/** Tokens and cost, nothing when no model took part. */
export function used(run: Run): string {
  const [tokensIn, tokensOut] = [run.tokens_in ?? 0, run.tokens_out ?? 0];
  if (tokensIn + tokensOut === 0) return "";
  const cached = run.tokens_cached ? `, ${run.tokens_cached.toLocaleString("en")} of them cached` : "";
  return `${tokensIn.toLocaleString("en")} tokens in${cached}, ${tokensOut.toLocaleString("en")} out${run.cost ? ` · $${(run.cost / 1e6).toFixed(4)}` : ""}`;
}

/** Who answered. */
export const plannerWord = (run: Run): string => (run.planner === "model" ? "answered by the language model" : "answered by a plan");

const surfaces: Record<string, string> = { cli: "the terminal", web: "the browser", slack: "Slack", api: "the API", replay: "a replay" };

/** Where it was asked. */
export const surfaceWord = (run: Run): string => surfaces[run.surface] ?? run.surface;

/** What the asker looked at, in a few words. */
export function pageWord(page: Page): string {
  switch (page.kind) {
    case "build":
      return page.job ? `build ${page.name} / ${page.job} #${page.id}` : `build ${page.id}`;
    case "pipeline":
      return `pipeline ${page.name}`;
    case "issue":
      return `issue ${page.name || page.id}`;
    case "logs":
      return `logs: ${page.query || "everything"}`;
    case "node":
      return `node ${page.name || page.id}`;
    default:
      return "";
  }
}
