import { useState } from "react";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import type { Resource, Version } from "../queries";
import { fullVersion } from "../state";
import { usePin } from "./acts";

type Props = { resource: Resource; version: Version | null; onClose: () => void };

/** Asks why before jobs are held at one version: whoever finds it later wants to know. */
export function PinDialog({ resource, version, onClose }: Props) {
  const [comment, setComment] = useState("");
  const close = () => {
    setComment("");
    onClose();
  };
  const pin = usePin(resource, close);
  return (
    <Dialog
      open={version !== null}
      onClose={close}
      title={`Pin ${resource.name}`}
      description={
        <>
          Jobs use <code>{fullVersion(version?.version)}</code> only, until somebody unpins it. New versions are still found.
        </>
      }
      onSubmit={(event) => {
        event.preventDefault();
        if (version) void pin.start(version, comment.trim());
      }}
    >
      <Field label="Why" hint="Shown beside the pin" error={pin.error instanceof Error ? pin.error.message : undefined}>
        <Input value={comment} onChange={(event) => setComment(event.target.value)} placeholder="wait for 1.24.3" autoFocus maxLength={500} />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={pin.busy}>
          Pin
        </Button>
        <Button onClick={close}>Leave it</Button>
      </DialogButtons>
    </Dialog>
  );
}
