import type { DryRun, Finding } from "./queries";

/** Nodes that are left out, by the reason, the most frequent first. */
export function skippedBy(skipped: DryRun["skipped"]): { reason: string; names: string[] }[] {
  const by = new Map<string, string[]>();
  for (const { reason = "no reason given", name } of skipped) by.set(reason, [...(by.get(reason) ?? []), name]);
  return [...by].map(([reason, names]) => ({ reason, names })).toSorted((a, b) => b.names.length - a.names.length);
}

/** Where a line and column begin in a text, and where that line ends. */
export function rangeOf(text: string, { line, column }: Pick<Finding, "line" | "column">): [from: number, to: number] {
  const lines = text.split("\n");
  const before = lines.slice(0, Math.max(0, line - 1)).reduce((sum, one) => sum + one.length + 1, 0);
  const from = Math.min(text.length, before + Math.max(0, column - 1));
  return [from, Math.max(from, Math.min(text.length, before + (lines[line - 1]?.length ?? 0)))];
}

/** "2 mistakes, 1 warning". */
export function findingWords(findings: Pick<Finding, "warning">[]): string {
  const warnings = findings.filter(({ warning }) => warning).length;
  const mistakes = findings.length - warnings;
  const say = (n: number, one: string) => (n > 0 ? `${n} ${one}${n > 1 ? "s" : ""}` : "");
  return [say(mistakes, "mistake"), say(warnings, "warning")].filter(Boolean).join(", ") || "nothing is wrong with it";
}
