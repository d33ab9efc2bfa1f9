import { useSyncExternalStore } from "react";

const prefix = "signalbox.";
const changed = new EventTarget();

/** A preference of this browser. Private windows may refuse storage: the preference then lasts as long as the page. */
const memory = new Map<string, string>();

export function readPreference(name: string): string | null {
  if (memory.has(name)) return memory.get(name) ?? null;
  try {
    return localStorage.getItem(prefix + name);
  } catch {
    return null;
  }
}

export function writePreference(name: string, value: string): void {
  try {
    localStorage.setItem(prefix + name, value);
    memory.delete(name);
  } catch {
    memory.set(name, value);
  }
  changed.dispatchEvent(new Event("change"));
}

function subscribe(listener: () => void): () => void {
  changed.addEventListener("change", listener);
  window.addEventListener("storage", listener);
  return () => {
    changed.removeEventListener("change", listener);
    window.removeEventListener("storage", listener);
  };
}

export function usePreference(name: string): string | null {
  return useSyncExternalStore(subscribe, () => readPreference(name));
}
