import { useEffect, useState, useSyncExternalStore } from "react";
import { worthRetrying } from "@/api/problem";
import { fetchLog } from "../queries";
import { unread } from "./blocks";
import { followLog } from "./follow";
import { createLogStore, type LogState, type LogStore } from "./store";

const retryAfter = 2000; // milliseconds; the network comes back by itself

/** The log of a build, followed while the build runs. Mount with the build's id as key. */
export function useLog(id: number, running: boolean, onEnd: () => void): { store: LogStore; state: LogState } {
  const [store] = useState(() => createLogStore((from, limit, signal) => fetchLog(id, from, limit, signal)));
  const state = useSyncExternalStore(store.subscribe, store.state);
  // Decided once: the last lines come through the stream after the build itself has been seen to end.
  const [follows] = useState(running);
  const [end] = useState(() => onEnd);

  useEffect(() => {
    store.want([{ first: 1, last: 1 }]);
    return store.close;
  }, [store]);

  const { opened, total, sections, error } = state;
  useEffect(() => {
    if (!error || !worthRetrying(error)) return;
    const timer = setTimeout(() => store.retry(), retryAfter);
    return () => clearTimeout(timer);
  }, [store, error]);

  useEffect(() => (follows && opened ? followLog(id, store, end) : undefined), [id, store, follows, opened, end]);

  // Lines of parallel steps alternate; where exactly is known only from the lines.
  useEffect(() => {
    if (!opened || follows) return;
    const stretch = unread(total, sections).find(({ first, last }) => store.runs(first, last) === null);
    if (stretch) store.read(stretch.first, stretch.last);
  }, [store, opened, follows, total, sections]);

  return { store, state };
}
