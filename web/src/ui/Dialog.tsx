import { Dialog as Radix } from "radix-ui";
import type { FormEventHandler, ReactNode } from "react";
import { useState } from "react";
import { Button } from "./Button";
import { classes } from "./classes";
import { Field, Input } from "./Field";

type DialogProps = {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  className?: string;
  /** A dialog that holds what is shown only once refuses Escape and a click outside. */
  sticky?: boolean;
  onSubmit?: FormEventHandler<HTMLFormElement>;
  children: ReactNode;
};

// The veil is our own element: the overlay of Radix locks scrolling with an inline style sheet, which our policy forbids.
export function Dialog({ open, onClose, title, description, className, sticky, onSubmit, children }: DialogProps) {
  const stay = sticky ? (event: Event) => event.preventDefault() : undefined;
  const body = (
    <>
      <Radix.Title asChild>
        <h2>{title}</h2>
      </Radix.Title>
      {description && (
        <Radix.Description asChild>
          <div className="muted">{description}</div>
        </Radix.Description>
      )}
      {children}
    </>
  );
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <div className="veil" />
        <Radix.Content
          className={classes("float dialog", className)}
          onEscapeKeyDown={stay}
          onPointerDownOutside={stay}
          onInteractOutside={stay}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          {onSubmit ? (
            <form className="contents" onSubmit={onSubmit} noValidate>
              {body}
            </form>
          ) : (
            body
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** The row of buttons that ends a dialog: the act first, then the way back. */
export function DialogButtons({ children }: { children: ReactNode }) {
  return <div className="buttons">{children}</div>;
}

type ConfirmProps = {
  open: boolean;
  onClose: () => void;
  onConfirm: () => void;
  title: string;
  /** Names the object and what else is touched. */
  children: ReactNode;
  act: string;
  keep?: string;
  busy?: boolean;
  /** Only for what cannot be undone: this must be typed first. */
  typed?: string;
};

/** Asks before something is destroyed. */
export function Confirm({ open, onClose, onConfirm, title, children, act, keep = "Keep", busy, typed }: ConfirmProps) {
  const [text, setText] = useState("");
  const ready = !typed || text === typed;
  const close = () => {
    setText("");
    onClose();
  };
  const submit: FormEventHandler<HTMLFormElement> = (event) => {
    event.preventDefault();
    if (ready && !busy) onConfirm();
  };
  return (
    <Dialog open={open} onClose={close} title={title} description={children} onSubmit={submit}>
      {typed && (
        <Field label={`Type ${typed} to confirm`}>
          <Input value={text} onChange={(event) => setText(event.target.value)} autoComplete="off" autoFocus />
        </Field>
      )}
      <DialogButtons>
        <Button kind="danger" type="submit" busy={busy} disabled={!ready}>
          {act}
        </Button>
        <Button onClick={close}>{keep}</Button>
      </DialogButtons>
    </Dialog>
  );
}
