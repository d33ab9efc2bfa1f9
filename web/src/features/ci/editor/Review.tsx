import { useMemo } from "react";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { CodeBlock } from "@/ui/CodeBlock";
import { Chip } from "@/ui/facts";
import { Notice } from "@/ui/states";
import { changesOf, tally } from "./changes";
import { Diff } from "./Diff";
import { changed, diffLines } from "./diff";

type Props = { open: boolean; onClose: () => void; name: string; /** What does the same on a command line. */ command: string; before: string; after: string; busy: boolean; error?: string; onSave: () => void; warnings: number };

/** What saving changes, before it is saved. */
export function Review({ open, onClose, name, command, before, after, busy, error, onSave, warnings }: Props) {
  const lines = useMemo(() => (open ? diffLines(before, after) : []), [open, before, after]);
  const changes = useMemo(() => (open ? changesOf(before, after) : []), [open, before, after]);
  const { added, removed } = changed(lines);
  return (
    <Dialog open={open} onClose={onClose} title={`Save ${name}?`} description={`${plural(added, "line")} added, ${plural(removed, "line")} removed. Builds that begin from now on use it; running ones finish as they began.`} className="wide compare">
      {error && <Notice kind="bad">{error}</Notice>}
      {warnings > 0 && <Notice kind="warn">{plural(warnings, "warning")}; it can be saved all the same.</Notice>}
      {changes.length > 0 && (
        <section className="grid gap-1" aria-label="What changes">
          <h3 className="micro">{tally(changes)}</h3>
          <ul className="changes">
            {changes.map(({ what, name: one, how }) => (
              <li key={`${what} ${one}`} className="line">
                <Chip>{how}</Chip>
                <span>
                  <span className="muted">{what}</span> {one}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Diff lines={lines} />
      <CodeBlock label="Command" code={command} />
      <DialogButtons>
        <Button kind="primary" busy={busy} onClick={onSave}>
          Save
        </Button>
        <Button onClick={onClose}>Go on editing</Button>
      </DialogButtons>
    </Dialog>
  );
}
