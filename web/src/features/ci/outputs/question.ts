import type { PackageFilter } from "./queries";

/** Reads "log4j-core < 2.17.1", "log4j-core 2.17.0", "log4j-core@2.17.0" or a name alone. */
export function parseQuestion(text: string): Partial<PackageFilter> {
  const asked = text.trim();
  const below = /^(\S+)\s*<\s*(\S+)$/.exec(asked);
  if (below) return { name: below[1], below: below[2] };
  const exact = /^(@?[^\s@=]+)\s*(?:@|==?|\s)\s*v?(\d\S*)$/.exec(asked);
  if (exact) return { name: exact[1], version: exact[2] };
  return { name: asked || undefined };
}

/** The same as people write it. */
export function questionText({ name, below, version }: Partial<PackageFilter>): string {
  if (!name) return "";
  if (below) return `${name} < ${below}`;
  return version ? `${name} ${version}` : name;
}
