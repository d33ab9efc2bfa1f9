/** One thing of a configuration that saving adds, removes or changes, as fly set-pipeline lists it. */
export type Change = { what: string; name: string; how: "added" | "removed" | "changed" };

const nouns: Record<string, string> = { jobs: "job", resources: "resource", resource_types: "resource type", groups: "group", var_sources: "var source", display: "display", signalbox: "signalbox" };

/** What saving changes, in the order of the new text; compared by the text of each thing, so a comment alone is no change. */
export function changesOf(before: string, after: string): Change[] {
  const [old, now] = [parts(before), parts(after)];
  const found: Change[] = [];
  for (const [key, { what, name, text }] of now) {
    const was = old.get(key);
    if (!was) found.push({ what, name, how: "added" });
    else if (was.text !== text) found.push({ what, name, how: "changed" });
  }
  for (const [key, { what, name }] of old) if (!now.has(key)) found.push({ what, name, how: "removed" });
  return found;
}

type Part = { what: string; name: string; text: string };

/** The named items of each section; a section without items is one part. */
function parts(yaml: string): Map<string, Part> {
  const found = new Map<string, Part>();
  for (const { key, lines } of sections(yaml)) {
    const what = nouns[key] ?? key;
    const items = itemsOf(lines);
    if (items.length === 0) found.set(key, { what, name: "", text: lines.join("\n") });
    for (const text of items) {
      const name = nameOf(text);
      found.set(`${key} ${name}`, { what, name, text: text.join("\n") });
    }
  }
  return found;
}

function sections(yaml: string): { key: string; lines: string[] }[] {
  const found: { key: string; lines: string[] }[] = [];
  for (const line of yaml.split("\n").map(bare).filter((text) => text !== "" && text !== "---")) {
    const [, key, rest] = /^([\w-]+):\s*(.*)$/.exec(line) ?? [];
    if (key) found.push({ key, lines: rest ? [rest] : [] });
    else found.at(-1)?.lines.push(line);
  }
  return found;
}

/** Without a comment at its own line or behind a blank, and without blanks at the end. Text in quotes may hold a #. */
function bare(line: string): string {
  if (/^\s*#/.test(line)) return "";
  return /["'|>]/.test(line) ? line.trimEnd() : line.replace(/\s+#.*$/, "").trimEnd();
}

function itemsOf(lines: string[]): string[][] {
  const first = lines.find((line) => /^\s*- /.test(line));
  if (!first || lines[0] !== first) return [];
  const indent = first.indexOf("-");
  const items: string[][] = [];
  for (const line of lines) {
    if (line.startsWith(`${" ".repeat(indent)}- `)) items.push([line.slice(indent)]);
    else items.at(-1)?.push(line.slice(Math.min(indent, line.length)));
  }
  return items;
}

/** The name among the item's own keys, in the block style or in braces. */
function nameOf(item: string[]): string {
  for (const line of item) {
    const own = /^(?:- | {2})(?:\{\s*)?(?:.*[,{]\s*)?name:\s*(?:"([^"]*)"|'([^']*)'|([^\s,}]+))/.exec(line);
    if (own && (!/^- *\w+: *\{/.test(line) || /^- *name:/.test(line))) return own[1] ?? own[2] ?? own[3] ?? "";
  }
  return item[0]?.slice(2) ?? "";
}

/** "2 added, 1 removed" */
export function tally(changes: Change[]): string {
  const many = (how: Change["how"]) => changes.filter((change) => change.how === how).length;
  return (["added", "changed", "removed"] as const)
    .filter((how) => many(how) > 0)
    .map((how) => `${many(how)} ${how}`)
    .join(", ");
}
