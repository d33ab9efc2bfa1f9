const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Decimal units: "0 B", "812 B", "1.2 kB", "212 MB". */
export function bytes(size: number | null | undefined): string {
  if (size === null || size === undefined || !Number.isFinite(size)) return "–";
  let value = Math.max(0, size);
  let unit = 0;
  while (unit < units.length - 1 && Number(value.toFixed(unit === 0 || value >= 9.95 ? 0 : 1)) >= 1000) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** "1,204": numbers are compared in columns, so the same everywhere. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** "1 build", "3 builds", "1 entry", "2 entries". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
