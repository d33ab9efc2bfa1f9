import { useSyncExternalStore } from "react";

let suggested = "";
const listeners = new Set<() => void>();

/** Puts a question into the box of the assistant's panel, for whoever opens it next; "" takes it away. */
export function suggestQuestion(text: string): void {
  suggested = text;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The question that a page suggests; "" when there is none. */
export function useSuggestedQuestion(): string {
  return useSyncExternalStore(subscribe, () => suggested);
}
