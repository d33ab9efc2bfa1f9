import type { Problem } from "@/api/problem";
import type { MaskingRules } from "./queries";

/** Rules while they are written: lists as text, each entry on a line of its own. */
export type Form = { secrets: boolean; cards: boolean; keys: string; patterns: string };

export const formOf = ({ secrets, cards, keys, patterns }: MaskingRules): Form => ({ secrets, cards, keys: keys.join("\n"), patterns: patterns.join("\n") });

/** What a team has that has said nothing. */
export const usual: Form = { secrets: true, cards: true, keys: "", patterns: "" };

/** Expressions keep their blanks, names do not. */
export function rulesOf({ secrets, cards, keys, patterns }: Form): MaskingRules {
  const lines = (text: string) => text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return { secrets, cards, keys: lines(keys).map((name) => name.trim()), patterns: lines(patterns) };
}

/** Lines to try rules on, as they were pasted; the server takes so many. */
export const most = 200;
export const pastedLines = (text: string): string[] => text.split(/\r?\n/).filter((line) => line.trim() !== "").slice(0, most);

/** What stands where something was taken. */
export const masked = "[masked]";

export type Piece = { text: string; taken: boolean };

/** A line before masking, cut where it was masked: what stays in both is plain, what stands between is taken. */
export function taken(before: string, after: string): Piece[] {
  const kept = after.split(/(?:\[masked\])+/);
  const found: Piece[] = [];
  let rest = before;
  for (const [at, text] of kept.entries()) {
    // What begins the line stands at its beginning, what ends it at its end; between them something was taken each time.
    const place = at === 0 ? (rest.startsWith(text) ? 0 : -1) : at === kept.length - 1 ? (rest.endsWith(text) ? rest.length - text.length : -1) : rest.indexOf(text, 1);
    if (place < 0) return [...found, { text: rest, taken: true }];
    // What was masked when it came stays as it is.
    if (place > 0) found.push({ text: rest.slice(0, place), taken: rest.slice(0, place) !== masked });
    if (text) found.push({ text, taken: false });
    rest = rest.slice(place + text.length);
  }
  return found;
}

/** What is wrong with a list, said below it. */
export const mistakeIn = (problem: Problem | undefined, list: "keys" | "patterns"): string | undefined => problem?.field(list) ?? problem?.field(`rules.${list}`);
