import { useMemo } from "react";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Notice } from "@/ui/states";
import { Diff } from "./Diff";
import { changed, diffLines } from "./diff";

type Props = { open: boolean; onClose: () => void; name: string; before: string; after: string; busy: boolean; error?: string; onSave: () => void; warnings: number };

/** What saving changes, before it is saved. */
export function Review({ open, onClose, name, before, after, busy, error, onSave, warnings }: Props) {
  const lines = useMemo(() => (open ? diffLines(before, after) : []), [open, before, after]);
  const { added, removed } = changed(lines);
  return (
    <Dialog open={open} onClose={onClose} title={`Save ${name}?`} description={`${plural(added, "line")} added, ${plural(removed, "line")} removed. Builds that begin from now on use it; running ones finish as they began.`} className="wide compare">
      {error && <Notice kind="bad">{error}</Notice>}
      {warnings > 0 && <Notice kind="warn">{plural(warnings, "warning")}; it can be saved all the same.</Notice>}
      <Diff lines={lines} />
      <DialogButtons>
        <Button kind="primary" busy={busy} onClick={onSave}>
          Save
        </Button>
        <Button onClick={onClose}>Go on editing</Button>
      </DialogButtons>
    </Dialog>
  );
}
