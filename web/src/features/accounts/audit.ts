import { number, params, text } from "@/ui/schema";

/** The filters of the audit log, as they stand in the address. */
export const auditSearch = params({
  team: text(),
  q: text(),
  before: number(),
});

/** What a change was about: details that a program wrote as an object are read out, all others stand as they are. */
export function inWords(detail: string): string {
  if (!detail.startsWith("{")) return detail;
  try {
    const fields = Object.entries(JSON.parse(detail) as Record<string, unknown>);
    return fields.filter(([, value]) => value !== "" && value !== null).map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`).join(", ");
  } catch {
    return detail;
  }
}
