import type { Run, Step, Turn } from "../queries";

/** A line of a run's timeline; its bar begins at `from` and is `size` wide, in per cent of the run. */
export type Row = { key: string; from: number; size: number } & ({ step: Step; turn?: never } | { turn: Turn; step?: never });

/** What a run did, in the order it began. */
export function timelineOf({ steps = [], turns = [], milliseconds }: Pick<Run, "steps" | "turns" | "milliseconds">): Row[] {
  const end = Math.max(milliseconds, ...steps.map(endOf), ...turns.map(endOf), 1);
  const bar = ({ began, milliseconds: took }: Step | Turn) => ({ from: Math.min(98, (100 * began) / end), size: Math.max(2, (100 * took) / end) });
  const rows: Row[] = [
    ...turns.map((turn) => ({ key: `turn-${turn.number}`, turn, ...bar(turn) })),
    ...steps.map((step) => ({ key: `step-${step.number}`, step, ...bar(step) })),
  ];
  const began = (row: Row) => (row.step ?? row.turn).began;
  return rows.sort((a, b) => began(a) - began(b) || Number(Boolean(a.step)) - Number(Boolean(b.step)) || (a.step?.number ?? 0) - (b.step?.number ?? 0));
}

const endOf = ({ began, milliseconds }: Step | Turn) => began + milliseconds;
