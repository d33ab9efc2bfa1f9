const most = 30;
const place = (team: string) => `signalbox.logs.history.${team}`;

/** Searches of this browser, newest first. */
export function history(team: string): string[] {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(place(team)) ?? "[]");
    return Array.isArray(read) ? read.filter((entry): entry is string => typeof entry === "string") : [];
  } catch {
    return [];
  }
}

export function remember(team: string, query: string): void {
  if (!query.trim()) return;
  try {
    localStorage.setItem(place(team), JSON.stringify([query, ...history(team).filter((entry) => entry !== query)].slice(0, most)));
  } catch {
    // A browser that keeps nothing has no history.
  }
}
