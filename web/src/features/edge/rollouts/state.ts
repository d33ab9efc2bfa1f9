import { count, plural } from "@/format/bytes";
import { duration } from "@/format/duration";
import { memberLook, memberStates } from "../looks";
import type { Rollout, RolloutItem } from "./queries";

export type Verb = "pause" | "resume" | "proceed" | "abort" | "rollback" | "approve" | "reject";

const active = ["awaiting-approval", "running", "paused"];

/** Why a verb cannot be used on a rollout as it stands; false when it can. */
export function refusedVerb(verb: Verb, { state, batch, batches }: Pick<RolloutItem, "state" | "batch" | "batches">): string | false {
  const said = state.replaceAll("-", " ");
  const only = (states: string[]) => (states.includes(state) ? false : `The rollout is ${said}.`);
  switch (verb) {
    case "pause":
      return only(["running"]);
    case "resume":
      return only(["paused"]);
    case "proceed":
      return only(["running"]) || (batch + 1 >= batches && "It is at the last batch.");
    case "abort":
      return only(active);
    case "rollback":
      return only(["running", "paused", "completed", "aborted", "expired"]);
    default:
      return only(["awaiting-approval"]);
  }
}

/** Nodes that a rollout back would touch: those that have the bundle or are at it. */
export const touched = (counts: Record<string, number>) => ["succeeded", "installing"].reduce((sum, state) => sum + (counts[state] ?? 0), 0);

export type Part = { state: string; share: number; n: number };

/** The parts of a bar, in the order in which states are told, with what has no state yet left empty. */
export function parts(counts: Record<string, number>): Part[] {
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
  if (all === 0) return [];
  const known = memberStates.filter((state) => counts[state]);
  const others = Object.keys(counts).filter((state) => !memberStates.includes(state) && counts[state]);
  return [...known, ...others].map((state) => ({ state, n: counts[state] ?? 0, share: (counts[state] ?? 0) / all }));
}

/** "471 succeeded, 4 failed": a bar in words. */
export const partsWords = (counts: Record<string, number>) =>
  parts(counts)
    .map(({ state, n }) => `${count(n)} ${memberLook(state).word}`)
    .join(", ");

const over = ["succeeded", "failed", "rolled-back", "quarantined", "silent", "skipped", "missed", "reverted"];

/** How many nodes the rollout is done with. */
export const ended = (counts: Record<string, number>) => over.reduce((sum, state) => sum + (counts[state] ?? 0), 0);

/** "212 an hour, about 2 h 10 m more": nothing when nothing went on lately. */
export function rateWords({ ended_last_hour: rate, counts, total, state }: Pick<Rollout, "ended_last_hour" | "counts" | "total" | "state">): string {
  const left = total - ended(counts);
  if (state !== "running" || rate <= 0 || left <= 0) return "";
  return `${count(rate)} an hour, about ${duration((left / rate) * 3600)} more`;
}

/** The stop line: at how many failures the rollout pauses by itself, of those that have ended. */
export function limitOf({ ended: done, failed, failure_rate: rate, min_samples: least, consecutive, in_row: row, any_exit: exits }: Rollout["threshold"]): { failed: number; stops: number; share: number; at: number; words: string } | undefined {
  const percent = Number.parseFloat(rate);
  if (!Number.isFinite(percent) && consecutive <= 0) return undefined;
  const samples = Math.max(done, least);
  const stops = Number.isFinite(percent) ? Math.max(1, Math.floor((samples * percent) / 100) + 1) : consecutive;
  const scale = Math.max(stops * 1.5, failed, 1);
  const fatal = exits.length > 0 ? `; at once at exit ${exits.join(" or ")}` : "";
  const inRow = consecutive > 0 ? `; or at ${count(consecutive)} in a row, now ${count(row)}` : "";
  return { failed, stops, share: failed / scale, at: stops / scale, words: `stops at ${plural(stops, "failure")} of ${count(samples)}${Number.isFinite(percent) ? `, limit ${rate}` : ""}${inRow}${fatal}` };
}

/** The name of a batch. */
export const batchName = ({ number, canary }: { number: number; canary: boolean }) => (canary ? `Canary ${number + 1}` : `Batch ${number + 1}`);
