import { Confirm } from "@/ui/Dialog";

type Props = { name: string; busy: boolean; onClose: () => void; onConfirm: () => void };

/** Asks before a build is stopped. */
export function AbortDialog({ name, busy, onClose, onConfirm }: Props) {
  return (
    <Confirm open onClose={onClose} onConfirm={onConfirm} title={`Abort #${name}?`} act="Abort" keep="Let it run" busy={busy}>
      Its containers are stopped and its <code>on_abort</code> and <code>ensure</code> steps run. What it has already put stays.
    </Confirm>
  );
}
