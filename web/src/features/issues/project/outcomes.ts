/** What can become of an item, the good one first; each has a colour of its own and a word. */
export const outcomes = [
  { key: "accepted", label: "Accepted", colour: "data" },
  { key: "filtered", label: "Filtered", colour: "paused" },
  { key: "limited", label: "Limited", colour: "errored" },
  { key: "dropped", label: "Dropped", colour: "aborted" },
  { key: "invalid", label: "Invalid", colour: "failed" },
  { key: "discarded", label: "By the client", colour: "running" },
] as const;

/** A reason as the server counts it ("rate-limit_key"), in words. */
export function reasonWords(reason: string): string {
  if (!reason) return "–";
  const words = reason.replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
