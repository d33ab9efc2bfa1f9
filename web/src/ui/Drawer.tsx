import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { IconButton } from "./Button";

type Props = { open: boolean; onClose: () => void; title: ReactNode; actions?: ReactNode; children: ReactNode };

/** Details at the right, 376 px. The list behind keeps its place and stays usable; the open object belongs in the URL. */
export function Drawer({ open, onClose, title, actions, children }: Props) {
  return (
    <Radix.Root open={open} modal={false} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Content
          className="drawer over"
          aria-describedby={undefined}
          onInteractOutside={(event) => event.preventDefault()}
        >
          <header>
            <Radix.Title asChild>
              <h2 className="clip">{title}</h2>
            </Radix.Title>
            <span className="actions">
              {actions}
              <IconButton icon={X} label="Close" onClick={onClose} />
            </span>
          </header>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
