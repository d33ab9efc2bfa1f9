import { classes } from "@/ui/classes";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { healthStatus, percent } from "./words";

/** A share as a short bar with its number; a dash when nobody counted. */
export function ShareBar({ share, label }: { share: number | null | undefined; label: string }) {
  const said = percent(share);
  if (said === undefined) return <span className="muted" title={`No sessions tell of ${label}`}>–</span>;
  return (
    <span className="issues-share">
      <span className="bar" aria-hidden="true">
        <i style={{ width: `${Math.max(2, Math.round((share ?? 0) * 100))}%` }} />
      </span>
      <span className="num">{said}</span>
    </span>
  );
}

/** The share of sessions that did not crash, with a glyph for how good that is. */
export function CrashFree({ share, strong }: { share: number | null | undefined; strong?: boolean }) {
  const said = percent(share, 2);
  const status = healthStatus(share);
  if (said === undefined || status === undefined) return <span className="muted" title="No sessions were sent">–</span>;
  const word = { succeeded: "good", errored: "some crash", failed: "many crash" }[status];
  return (
    <span className={classes("line", strong && "strong")}>
      <StatusGlyph status={status} label={word} />
      <span className="num">{said}</span>
    </span>
  );
}
