import { useCallback, useMemo, useSyncExternalStore } from "react";
import { useSession } from "@/api/session";

const changed = new EventTarget();
// Private windows may refuse storage: pins then last as long as the page.
const memory = new Map<string, string>();

function read(key: string): string {
  if (memory.has(key)) return memory.get(key) ?? "[]";
  try {
    return localStorage.getItem(key) ?? "[]";
  } catch {
    return "[]";
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
    memory.delete(key);
  } catch {
    memory.set(key, value);
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

/** The ids in a stored list; anything else in its place counts as nothing. */
export function parsePins(stored: string): Set<number> {
  try {
    const value: unknown = JSON.parse(stored);
    return new Set(Array.isArray(value) ? value.filter((id): id is number => Number.isInteger(id)) : []);
  } catch {
    return new Set();
  }
}

/** The pipelines this person keeps at the front, in this browser. */
export function usePins(): { pins: ReadonlySet<number>; toggle: (id: number) => void } {
  const { user } = useSession();
  const key = `signalbox.ci.pins.${user.id}`;
  const stored = useSyncExternalStore(subscribe, () => read(key));
  const pins = useMemo(() => parsePins(stored), [stored]);
  const toggle = useCallback(
    (id: number) => {
      const next = parsePins(read(key));
      if (!next.delete(id)) next.add(id);
      write(key, JSON.stringify([...next]));
    },
    [key],
  );
  return { pins, toggle };
}
