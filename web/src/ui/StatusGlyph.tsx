import type { ReactNode } from "react";
import { classes } from "./classes";
import { type Status as StatusName, statusWord } from "./status";

const ring = <circle cx="6" cy="6" r="5.25" fill="none" stroke="currentColor" strokeWidth="1.5" />;
const cut = "var(--cut)";

const forms: Record<StatusName, ReactNode> = {
  succeeded: (
    <>
      <circle cx="6" cy="6" r="6" fill="currentColor" />
      <path d="M3.3 6.2 5.2 8.1 8.8 4.2" fill="none" stroke={cut} strokeWidth="1.6" />
    </>
  ),
  failed: (
    <>
      <rect width="12" height="12" rx="1.5" fill="currentColor" />
      <path d="M3.4 3.4 8.6 8.6M8.6 3.4 3.4 8.6" stroke={cut} strokeWidth="1.6" />
    </>
  ),
  errored: (
    <>
      <path d="M6 .4 12 11.6H0z" fill="currentColor" />
      <path d="M6 4.4v3.4M6 9v1.3" stroke={cut} strokeWidth="1.5" />
    </>
  ),
  running: (
    <>
      {ring}
      <path d="M6 2.5a3.5 3.5 0 0 0 0 7z" fill="currentColor" />
    </>
  ),
  aborted: <path d="M1.6 1.6 10.4 10.4M10.4 1.6 1.6 10.4" stroke="currentColor" strokeWidth="2.2" />,
  paused: <path d="M2 1h3v10H2zM7 1h3v10H7z" fill="currentColor" />,
  pending: ring,
  skipped: <path d="M2 6h8" stroke="currentColor" strokeWidth="2" />,
  staging: <path d="M.75.75h10.5v10.5H.75z" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="2.2 1.6" />,
  staged: (
    <>
      <path d="M.75.75h10.5v10.5H.75z" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M3.5 3.5h5v5h-5z" fill="currentColor" />
    </>
  ),
  deferred: <path d="M1.5 0h9v1.5L7.2 6l3.3 4.5V12h-9v-1.5L4.8 6 1.5 1.5z" fill="currentColor" />,
  quarantined: (
    <>
      <path d="M3.5 0h5L12 3.5v5L8.5 12h-5L0 8.5v-5z" fill="currentColor" />
      <path d="M3 6h6" stroke={cut} strokeWidth="2" />
    </>
  ),
  "rolled-back": <path d="M11.6 0v12L.4 6z" fill="currentColor" />,
  offline: <path d="M6 .9 11.1 6 6 11.1.9 6z" fill="none" stroke="currentColor" strokeWidth="1.4" />,
};

type GlyphProps = { status: StatusName; size?: "l"; label?: string };

/** The 12 px form of a state. Without `label` it is decorative and the word must stand beside it. */
export function StatusGlyph({ status, size, label }: GlyphProps) {
  return (
    <svg
      className={classes("g", status, size)}
      viewBox="0 0 12 12"
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    >
      {forms[status]}
    </svg>
  );
}

/** Glyph, then the word; `word` replaces the usual one. */
export function Status({ status, word }: { status: StatusName; word?: ReactNode }) {
  return (
    <span className={classes("st", status)}>
      <StatusGlyph status={status} />
      {word ?? statusWord(status)}
    </span>
  );
}
