/** A line of a comparison; `gap` stands for lines that are the same. */
export type DiffLine = { kind: "same" | "added" | "removed"; text: string } | { kind: "gap"; lines: number };

// Beyond this the middle is shown as replaced: nobody reads a comparison of such size, and it would block the page.
const mostCells = 4_000_000;
const context = 3;

/** Compares two texts line by line; of what stayed the same only three lines around each change are kept. */
export function diffLines(before: string, after: string): DiffLine[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const same = (text: string): DiffLine => ({ kind: "same", text });
  return folded([
    ...a.slice(0, head).map(same),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(same),
  ]);
}

/** The longest common subsequence, by the table. */
function middle(a: string[], b: string[]): DiffLine[] {
  const removed = (text: string): DiffLine => ({ kind: "removed", text });
  const added = (text: string): DiffLine => ({ kind: "added", text });
  if (a.length * b.length > mostCells) return [...a.map(removed), ...b.map(added)];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] as number;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const out: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ kind: "same", text: a[i] as string });
      i += 1;
      j += 1;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) {
      out.push(removed(a[i] as string));
      i += 1;
    } else {
      out.push(added(b[j] as string));
      j += 1;
    }
  }
  return out;
}

function folded(lines: DiffLine[]): DiffLine[] {
  const near = lines.map(() => false);
  lines.forEach((line, at) => {
    if (line.kind === "same") return;
    for (let other = Math.max(0, at - context); other <= Math.min(lines.length - 1, at + context); other += 1) near[other] = true;
  });
  const out: DiffLine[] = [];
  lines.forEach((line, at) => {
    const last = out.at(-1);
    if (near[at]) out.push(line);
    else if (last?.kind === "gap") last.lines += 1;
    else out.push({ kind: "gap", lines: 1 });
  });
  return out;
}

/** How many lines a comparison adds and removes. */
export function changed(lines: DiffLine[]): { added: number; removed: number } {
  return { added: lines.filter(({ kind }) => kind === "added").length, removed: lines.filter(({ kind }) => kind === "removed").length };
}
