import { Tooltip as Radix } from "radix-ui";
import { type ReactElement, type ReactNode, useState } from "react";
import { layerHost } from "./layerHost";

type Props = { text: ReactNode; side?: "top" | "right"; children: ReactElement };

/** A tip on hover and focus. The child must take a ref. Never the only place where something is said. */
export function Tooltip({ text, side, children }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <Radix.Root open={open} onOpenChange={setOpen}>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal container={open ? layerHost() : undefined}>
        <Radix.Content className="float tip" side={side} sideOffset={6} collisionPadding={8}>
          {text}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export const TooltipProvider = Radix.Provider;
