import type { Breadcrumb } from "../queries";

/** A step before the error: how long before, and how often it was repeated. */
export type Crumb = { crumb: Breadcrumb; before: number | undefined; times: number; text: string };

const bad: Record<string, number> = { fatal: 3, error: 3, warning: 2 };

/** What happened before: filtered, and repetitions as one, the newest last. */
export function crumbs(sent: Breadcrumb[], at: string, least: "all" | "warning" | "error", find = ""): Crumb[] {
  const floor = least === "error" ? 3 : least === "warning" ? 2 : 0;
  const wanted = find.toLowerCase();
  const shown: Crumb[] = [];
  for (const crumb of sent) {
    const text = crumbText(crumb);
    if ((bad[crumb.level ?? ""] ?? 1) < floor) continue;
    if (wanted && !`${crumb.category ?? ""} ${text}`.toLowerCase().includes(wanted)) continue;
    const last = shown.at(-1);
    const before = crumb.timestamp ? (Date.parse(at) - Date.parse(crumb.timestamp)) / 1000 : undefined;
    if (last && last.text === text && last.crumb.category === crumb.category && last.crumb.level === crumb.level) {
      last.times += 1;
      last.before = before;
    } else shown.push({ crumb, before, times: 1, text });
  }
  return shown;
}

/** A request, a navigation, or the words and data of the step. */
export function crumbText({ message, data = {}, category = "" }: Breadcrumb): string {
  const { method, url, status_code: status, from, to, ...rest } = data;
  if (url !== undefined) return [method, url, status].filter((part) => part !== undefined).join(" ");
  if (category === "navigation" && to !== undefined) return `${String(from ?? "")} to ${String(to)}`.trim();
  const more = Object.entries(rest).filter(([name]) => name !== "arguments" && name !== "logger");
  return [message, ...more.map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)].filter(Boolean).join(" ") || category;
}

/** "−14.2 s"; beyond two minutes in minutes. */
export function beforeWords(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return "";
  if (Math.abs(seconds) >= 120) return `−${Math.round(seconds / 60)} min`;
  return `${seconds < 0 ? "+" : "−"}${Math.abs(seconds).toFixed(1)} s`;
}
