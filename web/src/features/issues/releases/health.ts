import type { HealthHour } from "./queries";

/** Some hours of a release as one bar. */
export type HealthBar = { from: string; sessions: number; crashed: number; share: number | null };

/** Joins hours into bars of `width`, the newest bar full, so that two weeks fit on a phone. */
export function healthBars(hours: readonly HealthHour[], width = 6): HealthBar[] {
  const bars: HealthBar[] = [];
  for (let end = hours.length; end > 0; end -= width) {
    const part = hours.slice(Math.max(0, end - width), end);
    const sessions = part.reduce((sum, one) => sum + one.sessions, 0);
    const crashed = part.reduce((sum, one) => sum + one.crashed, 0);
    bars.unshift({ from: part[0]?.hour ?? "", sessions, crashed, share: sessions > 0 ? Math.max(0, 1 - crashed / sessions) : null });
  }
  return bars;
}

/** Where bars begin, so that the differences between good shares can be seen. */
export function floorOf(bars: readonly HealthBar[]): number {
  const least = Math.min(0.98, ...bars.map(({ share }) => share ?? 1));
  return Math.max(0, Math.floor(least * 100 - 1) / 100);
}
