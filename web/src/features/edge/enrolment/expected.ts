import type { components } from "@/api/schema.gen";

export type Expected = components["schemas"]["EdgeExpected"];
export type NewExpected = components["schemas"]["EdgeExpectedNew"]["items"][number];

const print = /^[0-9a-f]{4}(:?[0-9a-f]{4}){7}$/i;

/** "6bb2:62e7:…", however it was written. */
const grouped = (word: string) => word.toLowerCase().replaceAll(":", "").replace(/(.{4})(?=.)/g, "$1:");

/**
 * A list of machines, one on a line: the fingerprint, then a name, a site and labels, each of which may be missing. Spaces,
 * commas, semicolons and tabs part them, so a table saved as CSV is one; # begins a comment, and a head is passed over.
 */
export function readList(text: string): { items: NewExpected[]; wrong: { line: number; text: string }[] } {
  const items: NewExpected[] = [];
  const wrong: { line: number; text: string }[] = [];
  text.split(/\r?\n/).forEach((whole, at) => {
    const words = (whole.split("#")[0] ?? "").split(/[\s,;]+/).map((word) => word.replace(/^"|"$/g, "")).filter(Boolean);
    const [first] = words;
    if (!first || (at === 0 && /^finger/i.test(first))) return;
    if (!print.test(first)) {
      wrong.push({ line: at + 1, text: whole.trim() });
      return;
    }
    const plain = words.slice(1).filter((word) => !word.includes("="));
    const labels = words.slice(1).filter((word) => word.indexOf("=") > 0).map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]);
    items.push({ fingerprint: grouped(first), name: plain[0], site: plain[1], labels: labels.length > 0 ? (Object.fromEntries(labels) as Record<string, string>) : undefined });
  });
  return { items, wrong };
}
