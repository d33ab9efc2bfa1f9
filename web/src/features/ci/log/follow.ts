import { type LogPage, followLogUrl } from "../queries";
import type { LogStore } from "./store";

const again = 2000; // milliseconds until a stream that was refused is asked for once more

/**
 * Follows the log of a running build; the browser itself resumes after a break, from the last line's number, but gives
 * up when a proxy or a server that is stopping refuses. Returns the way to stop.
 */
export function followLog(id: number, store: LogStore, onEnd: () => void): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    source = new EventSource(followLogUrl(id, store.state().total + 1));
    source.addEventListener("lines", (event) => store.take(JSON.parse((event as MessageEvent<string>).data) as LogPage));
    source.addEventListener("end", () => {
      source.close();
      onEnd();
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, again);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
