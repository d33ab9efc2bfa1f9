import { Popper } from "radix-ui/internal";
import { type ReactNode, useEffect, useMemo } from "react";
import { createPortal } from "react-dom";
import { layerHost } from "./layerHost";

type Props = { id: string; anchor: HTMLElement; side?: "top" | "right"; onHold: () => void; onLeave: () => void; onClose: () => void; children: ReactNode };

/** A tip beside what it is about. It stays while somebody points at it, and Escape takes it away. */
export function TooltipLayer({ id, anchor, side, onHold, onLeave, onClose, children }: Props) {
  const beside = useMemo(() => ({ current: anchor }), [anchor]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => event.key === "Escape" && onClose();
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [onClose]);
  return (
    <Popper.Root>
      <Popper.Anchor virtualRef={beside} />
      {createPortal(
        <Popper.Content className="float tip" id={id} role="tooltip" side={side ?? "top"} sideOffset={6} collisionPadding={8} onPointerEnter={onHold} onPointerLeave={onLeave}>
          {children}
        </Popper.Content>,
        layerHost(),
      )}
    </Popper.Root>
  );
}
