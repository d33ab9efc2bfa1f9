/**
 * How well a text answers what was typed: 0 is not at all. Every word typed must occur; starts of words count more,
 * and the letters in order ("bld" in "build") count least.
 */
export function score(text: string, typed: string): number {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const within = text.toLowerCase();
  let sum = 1;
  for (const word of words) {
    const found = wordScore(within, word);
    if (found === 0) return 0;
    sum += found;
  }
  return sum;
}

function wordScore(text: string, word: string): number {
  const at = text.indexOf(word);
  if (at === 0) return 100;
  if (at > 0) return /[\s/._:#-]/.test(text[at - 1] ?? "") ? 60 : 30;
  let from = 0;
  for (const letter of word) {
    const next = text.indexOf(letter, from);
    if (next < 0) return 0;
    from = next + 1;
  }
  return word.length > 1 ? 5 : 0;
}

/** Things by their group, groups in the order of their first member. */
export function grouped<T extends { group?: string }>(things: T[], otherwise: string): [group: string, members: T[]][] {
  const groups = new Map<string, T[]>();
  for (const thing of things) {
    const name = thing.group ?? otherwise;
    groups.set(name, [...(groups.get(name) ?? []), thing]);
  }
  return [...groups];
}
