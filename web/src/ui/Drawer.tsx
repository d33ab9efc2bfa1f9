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
          onOpenAutoFocus={(event) => {
            // The panel itself, not its close button: a reader hears the title first.
            event.preventDefault();
            (event.currentTarget as HTMLElement | null)?.focus();
          }}
          onInteractOutside={(event) => event.preventDefault()}
        >
          <div className="title-line">
            <Radix.Title asChild>
              <h2 className="clip">{title}</h2>
            </Radix.Title>
            <span className="actions">
              {actions}
              <IconButton icon={X} label="Close" onClick={onClose} />
            </span>
          </div>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
