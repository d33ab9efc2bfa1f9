import type { ReactNode } from "react";
import { classes } from "./classes";

/** Names and values, in two columns. A missing value shows a dash. */
export function Facts({ items }: { items: [name: ReactNode, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {items.map(([name, value], at) => (
        <div key={at} className="contents">
          <dt>{name}</dt>
          <dd className="min-w-0">{value ?? "–"}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A word in a hairline. Most things need none: status has its glyph. */
export function Chip({ kind, children }: { kind?: "new" | "warn" | "sel"; children: ReactNode }) {
  return <span className={classes("chip", kind)}>{children}</span>;
}

/** Two letters for a person. */
export function Avatar({ name, small }: { name: string; small?: boolean }) {
  return (
    <span className={classes("avatar", small && "s")} aria-hidden="true">
      {name.slice(0, 2).toLowerCase()}
    </span>
  );
}

type ProgressProps = { value: number; median?: number; label: string };

/** Determinate progress, 0 to 1, with the median of earlier runs as a tick. */
export function Progress({ value, median, label }: ProgressProps) {
  const part = (share: number) => `${Math.min(100, Math.max(0, share * 100))}%`;
  return (
    <div className="progress" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(value * 100)}>
      <i style={{ "--v": part(value) } as React.CSSProperties} />
      {median !== undefined && <b style={{ "--at": part(median) } as React.CSSProperties} />}
    </div>
  );
}
