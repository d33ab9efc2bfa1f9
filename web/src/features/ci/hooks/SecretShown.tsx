import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import type { HookSecret } from "../queries";

type Props = { hook: HookSecret | null; onClose: () => void; renewed?: boolean };

/** The address and the secret to enter at GitHub; the secret this once. */
export function SecretShown({ hook, onClose, renewed }: Props) {
  if (!hook) return null;
  return (
    <Dialog
      open
      sticky
      onClose={onClose}
      className="wide"
      title={renewed ? `The new secret of ${hook.name}` : `Enter this at GitHub for ${hook.name}`}
      description="In the settings of the repository or organisation: Webhooks, Add webhook, content type application/json. The secret cannot be shown again."
    >
      <div className="grid gap-1">
        <span className="label strong">Payload URL</span>
        <CodeBlock code={hook.url} label="Address" />
      </div>
      <div className="grid gap-1">
        <span className="label strong">Secret</span>
        <CodeBlock code={hook.secret} label="Secret" filled={[hook.secret]} />
      </div>
      <DialogButtons>
        <Button kind="primary" onClick={onClose}>
          I have copied it
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
