type Field = { field: string; message: string };

/** Which line of the rules cannot be read, and why. */
export function wrongLine(fields: readonly Field[] | undefined): { line: number; message: string } | undefined {
  for (const { field, message } of fields ?? []) {
    const line = Number(/^rules:(\d+)$/.exec(field)?.[1]);
    if (line > 0) return { line, message };
  }
  return undefined;
}

/** Where a line begins and ends in a text, for marking it; lines count from 1. */
export function rangeOfLine(text: string, line: number): [from: number, to: number] {
  const lines = text.split("\n");
  const from = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return [Math.min(from, text.length), Math.min(from + (lines[line - 1]?.length ?? 0), text.length)];
}
