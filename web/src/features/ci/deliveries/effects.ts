import type { Delivery } from "../queries";

export type Effect = NonNullable<Delivery["caused"]>[number];

/** The first effects and how many are left out. One alone is not left out: its place would say "1 more". */
export function folded(effects: Delivery["caused"], most: number): { shown: Effect[]; more: number } {
  const all = effects ?? [];
  if (all.length <= most + 1) return { shown: all, more: 0 };
  return { shown: all.slice(0, most), more: all.length - most };
}

/** The same as one line of words. */
export function causedLine(effects: Delivery["caused"], most: number): string {
  const { shown, more } = folded(effects, most);
  return [...shown.map(({ title }) => title), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}
