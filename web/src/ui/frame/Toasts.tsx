import { X } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { Button, IconButton } from "../Button";
import { Copyable } from "../CopyButton";
import { StatusGlyph } from "../StatusGlyph";
import type { ToastInit } from "./context";

export const undoSeconds = 8;
const announceEvery = 5000;

export type ToastItem = ToastInit & { id: number };

/** The toasts of a frame, and the one polite live region: at most one announcement in 5 s, the newest wins. */
export function useToasts() {
  const [items, setItems] = useState<ToastItem[]>([]);
  const [said, setSaid] = useState("");
  const next = useRef(1);
  const spoken = useRef({ at: -announceEvery, timer: undefined as ReturnType<typeof setTimeout> | undefined });

  const announce = useCallback((text: string) => {
    const { at, timer } = spoken.current;
    clearTimeout(timer);
    const speak = () => {
      spoken.current.at = performance.now();
      setSaid(text);
    };
    const wait = at + announceEvery - performance.now();
    if (wait <= 0) speak();
    else spoken.current.timer = setTimeout(speak, wait);
  }, []);
  useEffect(() => () => clearTimeout(spoken.current.timer), []);

  const toast = useCallback(
    (init: ToastInit) => {
      const id = next.current++;
      setItems((before) => [...before.slice(-2), { ...init, id }]);
      announce(init.text);
    },
    [announce],
  );
  const dismiss = useCallback((id: number) => setItems((before) => before.filter((item) => item.id !== id)), []);
  return { items, said, toast, dismiss, announce };
}

type Props = { items: ToastItem[]; said: string; dismiss: (id: number) => void };

export function Toasts({ items, said, dismiss }: Props) {
  return (
    <>
      <div className="sr" role="status" aria-live="polite">
        {said}
      </div>
      <section className="toasts" aria-label="Notifications">
        {items.map((item) => (
          <Toast key={item.id} item={item} onGone={() => dismiss(item.id)} />
        ))}
      </section>
    </>
  );
}

/** Counts down while nobody points at it; a failure stays until it is closed. */
function Toast({ item, onGone }: { item: ToastItem; onGone: () => void }) {
  const [left, setLeft] = useState(undoSeconds);
  const [held, setHeld] = useState(false);
  const gone = useRef(onGone);
  useEffect(() => {
    gone.current = onGone;
  });
  const stays = item.kind === "bad";
  useEffect(() => {
    if (held || stays) return undefined;
    const timer = setInterval(() => setLeft((seconds) => seconds - 1), 1000);
    return () => clearInterval(timer);
  }, [held, stays]);
  useEffect(() => {
    if (left <= 0) gone.current();
  }, [left]);
  const hold = (on: boolean) => () => setHeld(on);
  return (
    <div className="float toast" onMouseEnter={hold(true)} onMouseLeave={hold(false)} onFocus={hold(true)} onBlur={hold(false)}>
      {item.kind === "bad" && <StatusGlyph status="failed" label="Failed" />}
      <span className="say">
        {item.text}
        {item.requestId && (
          <span className="meta line">
            Request <Copyable text={item.requestId} />
          </span>
        )}
      </span>
      {item.undo && (
        <>
          <span className="meta" aria-hidden="true">
            {left} s
          </span>
          <Button
            size="small"
            onClick={() => {
              item.undo?.();
              onGone();
            }}
          >
            Undo
          </Button>
        </>
      )}
      <IconButton size="small" icon={X} label="Close" onClick={onGone} />
    </div>
  );
}
