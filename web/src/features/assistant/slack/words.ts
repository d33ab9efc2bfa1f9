import type { Part, SlackState } from "./queries";

/** What a digest may hold, in its order. */
export const parts: { value: Part; label: string }[] = [
  { value: "merged", label: "Merged pull requests" },
  { value: "reviews", label: "Waiting for a first review" },
  { value: "mergeable", label: "Ready to be merged" },
  { value: "builds", label: "Failing builds" },
  { value: "errors", label: "New errors" },
  { value: "patches", label: "Nodes that are not patched" },
  { value: "deliveries", label: "Failed deliveries" },
];

/** How Slack stands, in a word and a sentence. */
export function standing(state: SlackState): { ok: boolean; word: string; says: string } {
  if (!state.configured) return { ok: false, word: "not set up", says: "No workspace is set up yet." };
  if (state.mode === "http") return { ok: true, word: "waiting for Slack", says: `Slack posts events to ${state.events_url}.` };
  const open = state.sockets.filter(({ connected }) => connected).length;
  if (open > 0) return { ok: true, word: "connected", says: open === 1 ? "One server holds a connection." : `${open} servers hold a connection.` };
  const trouble = state.sockets.find(({ trouble }) => trouble !== "")?.trouble;
  return { ok: false, word: "not connected", says: trouble ?? "No server holds a connection yet." };
}

/** A crontab line in words, where it is one of the usual ones. */
export function scheduleWords(line: string): string {
  const [minute = "", hour = "", day, month, weekday] = line.trim().split(/\s+/);
  const usual = /^\d{1,2}$/.test(minute) && /^\d{1,2}$/.test(hour) && day === "*" && month === "*";
  if (!usual) return line;
  const at = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  if (weekday === "*") return `daily at ${at}`;
  if (weekday === "1-5" || weekday === "mon-fri") return `working days at ${at}`;
  const days = ["Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"];
  const named = /^[0-6]$/.test(weekday ?? "") ? days[Number(weekday)] : undefined;
  return named ? `${named} at ${at}` : line;
}
