import { type LogPage, followLogUrl } from "../queries";
import type { LogStore } from "./store";

/**
 * Follows the log of a running build; the browser itself resumes after a break, from the last line's number.
 * Returns the way to stop.
 */
export function followLog(id: number, store: LogStore, onEnd: () => void): () => void {
  const source = new EventSource(followLogUrl(id, store.state().total + 1));
  source.addEventListener("lines", (event) => store.take(JSON.parse((event as MessageEvent<string>).data) as LogPage));
  source.addEventListener("end", () => {
    source.close();
    onEnd();
  });
  return () => source.close();
}
