import { useCallback, useEffect, useRef, useState } from "react";
import type { Line } from "../queries";

/** What a tail keeps: more would make a page heavy that stays open all day. */
const most = 2000;

export type TailState = "opening" | "open" | "broken";

type Event = { lines: Line[]; dropped?: number; missed?: number };

/**
 * Lines as they come in, newest first. While somebody reads further down nothing moves: what comes waits, and is counted.
 * `dropped` matched but were not sent, `missed` were not even looked at.
 */
export function useTail(team: string, query: string, on: boolean, onOpen: () => void) {
  const [state, setState] = useState<TailState>("opening");
  const [lines, setLines] = useState<Line[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [lost, setLost] = useState({ dropped: 0, missed: 0 });
  const [rate, setRate] = useState(0);
  const held = useRef(false);
  const queue = useRef<Line[]>([]);
  const opened = useRef(onOpen);
  useEffect(() => {
    opened.current = onOpen;
  });

  const flush = useCallback(() => {
    const fresh = queue.current.toReversed();
    queue.current = [];
    setWaiting(0);
    if (fresh.length > 0) setLines((before) => [...fresh, ...before].slice(0, most));
  }, []);

  useEffect(() => {
    if (!on) return undefined;
    let came = 0;
    const source = new EventSource(`/api/v1/logs/tail?${new URLSearchParams({ team, query })}`);
    source.addEventListener("open", () => {
      setState("open");
      opened.current();
    });
    source.addEventListener("error", () => setState("broken"));
    source.addEventListener("lines", (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as Event;
      came += event.lines.length;
      const room = queue.current.length + event.lines.length - most;
      queue.current = [...queue.current, ...event.lines].slice(-most);
      const dropped = (event.dropped ?? 0) + Math.max(0, room);
      if (dropped || event.missed) setLost((before) => ({ dropped: before.dropped + dropped, missed: before.missed + (event.missed ?? 0) }));
      if (held.current) setWaiting(queue.current.length);
      else flush();
    });
    const timer = setInterval(() => {
      setRate(Math.round(came / 2));
      came = 0;
    }, 2000);
    return () => {
      source.close();
      clearInterval(timer);
      queue.current = [];
      setLines([]);
      setWaiting(0);
      setLost({ dropped: 0, missed: 0 });
      setState("opening");
      setRate(0);
    };
  }, [team, query, on, flush]);

  const hold = useCallback(
    (still: boolean) => {
      if (held.current === still) return;
      held.current = still;
      if (!still) flush();
    },
    [flush],
  );
  return { state, lines, waiting, lost, rate, hold };
}

export type Tail = ReturnType<typeof useTail>;
