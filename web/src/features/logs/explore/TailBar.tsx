import { ArrowUp } from "lucide-react";
import { count, plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import type { Tail } from "./useTail";

/** How the tail goes, what waits above, and what it could not show. */
export function TailBar({ tail, onTop }: { tail: Tail; onTop: () => void }) {
  const { state, waiting, lost } = tail;
  return (
    <div className="logs-tailing" data-state={state}>
      <span role="status">{state === "open" ? "Live: lines appear as they come in" : state === "opening" ? "Opening the live tail" : "The live tail broke off; it is tried again by itself"}</span>
      {lost.dropped > 0 && <b>{plural(lost.dropped, "line")} not shown: they came faster than a page can draw</b>}
      {lost.missed > 0 && <b>{count(lost.missed)} not looked at: more came in than a tail reads</b>}
      {waiting > 0 && (
        <Button size="small" className="on-log" icon={ArrowUp} onClick={onTop}>
          {plural(waiting, "new line")}
        </Button>
      )}
    </div>
  );
}
