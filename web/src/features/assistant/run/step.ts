import type { Status } from "@/ui/status";
import type { Step } from "../queries";

/** The form that a call's outcome is shown in. */
export function stepStatus(step: Step): Status {
  if (step.kind === "approval") return "paused";
  if (step.kind === "guard") return "skipped";
  return step.failed ? "failed" : "succeeded";
}

/** JSON with its lines, anything else as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // a sentence, or a result that was cut
  }
}

const shown = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? "none" : `${value.length}: ${value.slice(0, 6).map(nameOf).join(", ")}${value.length > 6 ? ", …" : ""}`;
  if (value !== null && typeof value === "object") return nameOf(value);
  return String(value);
};

/** What an item of a list is called. */
function nameOf(item: unknown): string {
  if (item === null || typeof item !== "object") return String(item);
  const of = item as Record<string, unknown>;
  for (const key of ["number", "short_id", "tag_name", "name", "title", "pattern", "path", "id"]) {
    const value = of[key];
    if (typeof value === "string" || typeof value === "number") return key === "number" ? `#${value}` : String(value).slice(0, 60);
  }
  return "…";
}

/** A call in few lines: what it was given, and what came back; nothing when the result is no document. */
export function summaryOf(step: Step): [name: string, value: string][] | undefined {
  const asked = Object.entries(step.args as Record<string, unknown>).map(([key, value]): [string, string] => [key, shown(value)]);
  if (step.failed) return [...asked, ["error", step.result]];
  let result: unknown;
  try {
    result = JSON.parse(step.result);
  } catch {
    return undefined;
  }
  if (result === null || typeof result !== "object" || Array.isArray(result)) return undefined;
  const back = Object.entries(result as Record<string, unknown>).map(([key, value]): [string, string] => [`→ ${key}`, shown(value)]);
  return [...asked, ...back];
}
