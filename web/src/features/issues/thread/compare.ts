import type { Health } from "./queries";

export type Compared = { name: string; now: string; before: string; /** Whether it got worse or better. */ turn?: "worse" | "better" };

const share = (value: number | null) => (value === null ? "–" : `${(value * 100).toFixed(value > 0.9 && value < 1 ? 2 : 0)} %`);
const rate = (value: number) => value.toFixed(value > 0 && value < 10 ? 1 : 0);

function turn(now: number | null, before: number | null | undefined, moreIsBad: boolean): Compared["turn"] {
  if (now === null || before === null || before === undefined || now === before) return undefined;
  return now > before === moreIsBad ? "worse" : "better";
}

/** A release's numbers beside those of the one before. */
export function compared(now: Health, before: Health | undefined): Compared[] {
  const row = (name: string, pick: (health: Health) => number | null, word: (value: number) => string, moreIsBad = true): Compared => {
    const [here, there] = [pick(now), before && pick(before)];
    return { name, now: here === null ? "–" : word(here), before: there === undefined || there === null ? "–" : word(there), turn: turn(here, there, moreIsBad) };
  };
  return [
    row("Crash-free", (health) => health.crash_free, share, false),
    row("Errors per hour", (health) => health.per_hour, rate),
    row("New errors", (health) => health.new_errors, String),
    row("Came back", (health) => health.regressed, String),
    row("Users affected", (health) => health.users, String),
  ];
}

/** "their first 24 hours", "their first hour". */
export function stretch(hours: number): string {
  const whole = Math.max(1, Math.round(hours));
  return whole === 1 ? "their first hour" : `their first ${whole} hours`;
}
