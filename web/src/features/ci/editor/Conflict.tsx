import { useMemo, useState } from "react";
import { Button } from "@/ui/Button";
import { DialogButtons, Dialog } from "@/ui/Dialog";
import { Notice } from "@/ui/states";
import { Diff } from "./Diff";
import { diffLines } from "./diff";

type Props = { version: number; mine: string; theirs: string; onTheirs: () => void; onMine: () => void; onRefresh?: () => void };

/** Somebody else saved while this was edited: see what, then take it or go on with one's own. */
export function Conflict({ version, mine, theirs, onTheirs, onMine, onRefresh }: Props) {
  const [open, setOpen] = useState(false);
  const lines = useMemo(() => (open ? diffLines(theirs, mine) : []), [open, theirs, mine]);
  const close = () => setOpen(false);
  const look = () => {
    onRefresh?.();
    setOpen(true);
  };
  const choose = (run: () => void) => () => {
    close();
    run();
  };
  return (
    <>
      <Notice kind="warn" actions={<Button size="small" onClick={look}>Compare</Button>}>
        {onRefresh ? "Somebody saved another version meanwhile. Nothing of yours was saved." : `Somebody saved version ${version} meanwhile. Yours is not saved yet.`}
      </Notice>
      <Dialog open={open} onClose={close} title={`Version ${version} and yours`} description="Red lines are only in theirs, green ones only in yours." className="wide compare">
        <Diff lines={lines} />
        <DialogButtons>
          <Button kind="primary" onClick={choose(onMine)}>
            Keep mine
          </Button>
          <Button onClick={choose(onTheirs)}>Take theirs</Button>
          <Button kind="quiet" onClick={close}>
            Decide later
          </Button>
        </DialogButtons>
      </Dialog>
    </>
  );
}
