/** A range of lines in the address: #L120 or #L120-L140. */
export type Range = { first: number; last: number };

export function parseRange(hash: string): Range | null {
  const found = /^#?L(\d{1,9})(?:-L?(\d{1,9}))?$/.exec(hash);
  if (!found) return null;
  const a = Number(found[1]);
  const b = found[2] === undefined ? a : Number(found[2]);
  if (a < 1 || b < 1) return null;
  return { first: Math.min(a, b), last: Math.max(a, b) };
}

export function rangeHash({ first, last }: Range): string {
  return first === last ? `L${first}` : `L${first}-L${last}`;
}

/** What a press on a line number links to; with shift it reaches from what was linked before. */
export function pressed(line: number, before: Range | null, shift: boolean): Range {
  if (!shift || !before) return { first: line, last: line };
  // From the end that is farther away, so that a range can grow and shrink.
  return line < before.first ? { first: line, last: before.last } : { first: before.first, last: line };
}

export function inRange(line: number, range: Range | null): boolean {
  return range !== null && line >= range.first && line <= range.last;
}
