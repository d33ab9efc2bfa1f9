import { cloneElement, lazy, type FocusEvent, type PointerEvent, type ReactElement, type ReactNode, Suspense, useEffect, useId, useRef, useState } from "react";

// What places a tip weighs as much as a page: it comes with the first tip that somebody waits for.
const TooltipLayer = lazy(async () => ({ default: (await import("./TooltipLayer")).TooltipLayer }));

type Props = { text: ReactNode; side?: "top" | "right"; children: ReactElement };

type Handlers = {
  onPointerEnter?: (event: PointerEvent<HTMLElement>) => void;
  onPointerLeave?: (event: PointerEvent<HTMLElement>) => void;
  onPointerDown?: (event: PointerEvent<HTMLElement>) => void;
  onFocus?: (event: FocusEvent<HTMLElement>) => void;
  onBlur?: (event: FocusEvent<HTMLElement>) => void;
  "aria-describedby"?: string;
};

/** How long a pointer rests before a tip comes; none right after another tip went. */
const delay = 400;
const skip = 200;
/** How long the way from the thing to its tip may take. */
const grace = 120;
const last = { gone: 0 };

function noteGone(): void {
  last.gone = Date.now();
}

const rest = () => (Date.now() - last.gone < skip ? 0 : delay);

/** A tip on hover and focus. Never the only place where something is said. */
export function Tooltip({ text, side, children }: Props) {
  const id = useId();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const { later, cancel } = useTimer();
  const close = () => {
    cancel();
    if (anchor) noteGone();
    setAnchor(null);
  };
  const own = (children as ReactElement<Handlers>).props;
  // The child keeps its place in the tree, tip or not: it would lose the focus otherwise.
  return (
    <>
      {cloneElement(children as ReactElement<Handlers>, {
        onPointerEnter: (event) => {
          own.onPointerEnter?.(event);
          const { currentTarget, pointerType } = event;
          if (pointerType !== "touch") later(() => setAnchor(currentTarget), rest());
        },
        onPointerLeave: (event) => {
          own.onPointerLeave?.(event);
          later(close, grace);
        },
        onPointerDown: (event) => {
          own.onPointerDown?.(event);
          close();
        },
        onFocus: (event) => {
          own.onFocus?.(event);
          if (event.currentTarget.matches(":focus-visible")) setAnchor(event.currentTarget);
        },
        onBlur: (event) => {
          own.onBlur?.(event);
          close();
        },
        ...(anchor ? { "aria-describedby": own["aria-describedby"] ?? id } : {}),
      })}
      {anchor && (
        <Suspense>
          <TooltipLayer id={id} anchor={anchor} side={side} onHold={cancel} onLeave={close} onClose={close}>
            {text}
          </TooltipLayer>
        </Suspense>
      )}
    </>
  );
}

/** One thing to do after a while; the newest replaces what waits. */
function useTimer() {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const cancel = () => clearTimeout(timer.current);
  useEffect(() => () => clearTimeout(timer.current), []);
  const later = (run: () => void, after: number) => {
    cancel();
    timer.current = setTimeout(run, after);
  };
  return { later, cancel };
}
