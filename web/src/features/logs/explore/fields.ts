import type { Line } from "../queries";

export type Field = { name: string; value: string; label: boolean };

/** Labels of a line's stream, then its own fields. */
export function fieldsOf(line: Line): Field[] {
  const labels = Object.entries(line.labels).map(([name, value]) => ({ name, value, label: true }));
  return [...labels, ...line.fields.map(({ name, value }) => ({ name, value, label: false }))];
}

/** The value of a name in a line; "" if it has none. */
export function valueOf(line: Line, name: string): string {
  if (name === "level") return line.level;
  if (name === "_msg") return line.message;
  return line.labels[name] ?? line.fields.find((field) => field.name === name)?.value ?? "";
}

const sources = ["service", "service_name", "app", "container", "job", "host", "hostname"];

/** Who wrote a line, in one word. */
export const sourceOf = ({ labels }: Line) => sources.map((name) => labels[name]).find(Boolean) ?? Object.values(labels)[0] ?? "";

/** A line as people paste it. */
export const plain = (line: Line) => `${line.time} ${line.level === "unknown" ? "" : `${line.level} `}${line.message || line.fields.map(({ name, value }) => `${name}=${value}`).join(" ")}`;

/** A line as JSON, as an export writes it. */
export const asJSON = (line: Line) => JSON.stringify({ _time: line.time, _msg: line.message, level: line.level, ...line.labels, ...Object.fromEntries(line.fields.map(({ name, value }) => [name, value])) });

export type Part = { text: string; hit: boolean };

/** A text cut at the words that were searched for. */
export function parts(text: string, words: string[]): Part[] {
  if (words.length === 0) return [{ text, hit: false }];
  const wanted = new RegExp(`(${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "gi");
  return text
    .split(wanted)
    .map((part, at) => ({ text: part, hit: at % 2 === 1 }))
    .filter((part) => part.text !== "");
}
