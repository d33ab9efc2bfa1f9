import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Dialog, DialogButtons } from "@/ui/Dialog";

/** A password that is shown once. */
export function PasswordShown({ name, password, onClose }: { name: string; password: string; onClose: () => void }) {
  return (
    <Dialog open sticky onClose={onClose} title={`The password of ${name}`} description="Hand it over safely. It is not shown again, and must be changed at the first sign-in.">
      <CodeBlock code={password} wrap label="Password" filled={[password]} />
      <DialogButtons>
        <Button kind="primary" onClick={onClose}>
          I have copied it
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
