/** What is drawn: `colour` names a role token. */
export type Series = { label: string; colour: string; values: number[] };

/** Each layer stands on those before it; the last is the sum of all. */
export function layers(values: number[][]): number[][] {
  let below: number[] = [];
  return values.map((layer) => {
    below = layer.map((value, at) => value + (below[at] ?? 0));
    return below;
  });
}

/** Hours without gaps until now, `least` at least: a chart of one bar says nothing about time. */
export function fullHours(counted: { hour: string; events: number }[], now: number, least = 24, most = 24 * 14): { hours: number[]; values: number[] } {
  const hour = 3600;
  const end = Math.floor(now / 1000 / hour) * hour;
  const known = new Map(counted.map(({ hour: at, events }) => [Math.floor(Date.parse(at) / 1000 / hour) * hour, events]));
  const first = Math.min(end, ...known.keys());
  const length = Math.min(most, Math.max(least, (end - first) / hour + 1));
  const hours = Array.from({ length }, (_, at) => end - (length - 1 - at) * hour);
  return { hours, values: hours.map((at) => known.get(at) ?? 0) };
}

export type Mark = { at: number; label: string };

/** Instants that fall into the hours of a chart, in seconds, the newest of those that would cover one another. */
export function marksOf(all: { at: string; label: string }[], hours: number[]): Mark[] {
  const from = hours[0] ?? 0;
  const to = (hours.at(-1) ?? 0) + 3600;
  const near = (to - from) / 24;
  const shown: Mark[] = [];
  for (const { at, label } of all.toSorted((a, b) => b.at.localeCompare(a.at))) {
    const seconds = Date.parse(at) / 1000;
    if (seconds >= from && seconds <= to && !shown.some((mark) => mark.at - seconds < near)) shown.push({ at: seconds, label });
  }
  return shown;
}
