import type { Piece } from "./answer";
import type { Ground } from "./queries";

/** The most chips that one line has: more say nothing. */
const most = 4;

/** Which calls hold what a line states: those of its links first, as they are the surest. */
export function refsOf(pieces: Piece[], grounds: Ground[]): number[] {
  const urls = pieces.flatMap((piece) => (piece.kind === "link" ? [piece.url] : []));
  const text = pieces.map((piece) => piece.text).join("");
  const found = new Set<number>();
  const add = (of: Ground[]) => of.forEach(({ steps }) => steps.slice(0, 1).forEach((step) => found.add(step)));
  add(grounds.filter(({ fact }) => urls.includes(fact)));
  if (found.size > 0) return [...found].slice(0, most).sort((a, b) => a - b);
  add(grounds.filter(({ fact }) => !fact.startsWith("http") && stands(text, fact)));
  return [...found].slice(0, most).sort((a, b) => a - b);
}

/** Whether a fact stands in a text by itself: 41 does not stand in 1410. */
function stands(text: string, fact: string): boolean {
  const quoted = fact.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(^|[^\\w,.])${quoted}($|[^\\w,]|,(?!\\d))`).test(text);
}
