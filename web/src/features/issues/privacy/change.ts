import type { ScrubPreview, Scrubbing, ScrubRule } from "./queries";

/** What a rule took out of an event: where, why, and the text before and after. */
export type Change = { at: string; reason: string; before: string; after: string | undefined };

/** The changes of a preview, each with what stood there. */
export function changesOf({ before, after, changed }: ScrubPreview): Change[] {
  return changed.map(({ at, reason }) => ({ at, reason, before: textOf(valueAt(before, at)) ?? "", after: textOf(valueAt(after, at)) }));
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The value at a path such as request.headers[0].Authorization. Names may have dots; pairs are found by their key. */
export function valueAt(value: unknown, path: string): unknown {
  if (path === "") return value;
  if (value === null || typeof value !== "object") return undefined;
  const place = /^\[(\d+)\]\.?(.*)$/s.exec(path);
  if (place && Array.isArray(value)) return valueAt(value[Number(place[1])] as unknown, place[2] ?? "");
  const record = value as Record<string, unknown>;
  if (typeof record.key === "string" && path.startsWith(record.key) && "value" in record) return valueAt(record.value, path.slice(record.key.length).replace(/^\./, ""));
  // The longest name that fits comes first: "monitor.slug" before "monitor".
  const names = Object.keys(record).filter((name) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`)).sort((a, b) => b.length - a.length);
  for (const name of names) {
    const found = valueAt(record[name], path.slice(name.length).replace(/^\./, ""));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A reason as people read it: "key iban" is a key; the built-in ones have names of their own. */
export function reasonWords(reason: string): string {
  if (reason.startsWith("key ")) return reason.includes(".") ? `path ${reason.slice(4)}` : reason;
  return reason;
}

/** Rules without those that nobody filled in, and safe names without blanks. */
export function meant(form: Scrubbing): Scrubbing {
  return { ...form, rules: form.rules.filter(({ value }) => value.trim()).map((rule) => ({ ...rule, value: rule.kind === "pattern" ? rule.value : rule.value.trim() })), safe: form.safe.map((name) => name.trim()).filter(Boolean) };
}

const acts: Record<ScrubRule["action"], string> = { remove: "nothing stays", mask: "[Filtered] stays", hash: "a hash stays" };
const kinds: Record<ScrubRule["kind"], string> = { key: "what is called", pattern: "texts like", path: "what is at" };

/** A rule in words, for readers of the page who cannot see its fields. */
export const ruleWords = ({ kind, value, action }: ScrubRule): string => `${kinds[kind]} ${value || "…"}: ${acts[action]}`;

/** How much of an erasure is done, from 0 to 1. */
export function share({ total, scanned }: { total: number; scanned: number }, ended: boolean): number {
  if (ended) return 1;
  return total === 0 ? 0 : Math.min(1, scanned / total);
}

/** "12 events rewritten, 2 attachments": what an erasure found, without what it did not find. */
export function found(counts: Record<string, number>): string {
  const words: [string, string, string][] = [
    ["events_rewritten", "event rewritten", "events rewritten"],
    ["events_deleted", "event deleted", "events deleted"],
    ["attachments", "attachment", "attachments"],
    ["feedback", "report", "reports"],
    ["tags", "tag value", "tag values"],
    ["comments", "note", "notes"],
    ["rejected", "item put aside", "items put aside"],
  ];
  const parts = words.filter(([key]) => (counts[key] ?? 0) > 0).map(([key, one, many]) => `${(counts[key] ?? 0).toLocaleString("en-US")} ${counts[key] === 1 ? one : many}`);
  return parts.join(", ") || "nothing of theirs";
}
