import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./Button";
import { CodeBlock } from "./CodeBlock";
import { Copyable } from "./CopyButton";
import { StatusGlyph } from "./StatusGlyph";

type EmptyProps = {
  headline: string;
  /** One sentence on what will appear here. */
  children: ReactNode;
  /** The exact command, with this server's address in it. */
  command?: string;
  filled?: string[];
  commandLabel?: string;
  /** What is awaited; the page turns by itself when it comes. */
  waiting?: ReactNode;
  actions?: ReactNode;
  more?: ReactNode;
  /** Inside a section rather than as the page: smaller words. */
  small?: boolean;
};

/** Nothing here yet, what will be, and the exact way to get it. */
export function EmptyState({ headline, children, command, filled, commandLabel, waiting, actions, more, small }: EmptyProps) {
  return (
    <div className={small ? "pane" : "pane pt-8"}>
      <div className="empty grid grid-cols-[minmax(0,1fr)] gap-4">
        <div>
          {small ? <p className="strong">{headline}</p> : <h2 className="headline">{headline}</h2>}
          <p className="muted mt-2 max-w-[560px]">{children}</p>
        </div>
        {command && <CodeBlock code={command} filled={filled} label={commandLabel} />}
        {waiting && (
          <div className="waiting" role="status">
            <StatusGlyph status="running" />
            <span className="min-w-0">{waiting}</span>
            {actions && <span className="actions">{actions}</span>}
          </div>
        )}
        {!waiting && actions && <div className="line">{actions}</div>}
        {more}
      </div>
    </div>
  );
}

type ErrorProps = {
  what: string;
  why?: ReactNode;
  /** What the reader can do now. */
  next?: ReactNode;
  requestId?: string;
  onRetry?: () => void;
};

/** What failed, why, what to do, and the id that finds the server's own line. */
export function ErrorState({ what, why, next, requestId, onRetry }: ErrorProps) {
  return (
    <div className="pane" role="alert">
      <div className="panel p-4 max-w-[760px] grid gap-3">
        <div className="line">
          <StatusGlyph status="failed" />
          <h2>{what}</h2>
        </div>
        {why && <p>{why}</p>}
        {next && <p className="muted">{next}</p>}
        <div className="line flex-wrap">
          {onRetry && (
            <Button icon={RotateCw} onClick={onRetry}>
              Try again
            </Button>
          )}
          {requestId && (
            <span className="meta line">
              Request
              <Copyable text={requestId} what="Copy the request id" />
            </span>
          )}
        </div>
      </div>
    </div>
  );
}

/** Not for this person; says who may, and who to ask. */
export function ForbiddenState({ what, who, actions }: { what: string; who: ReactNode; actions?: ReactNode }) {
  return (
    <div className="pane" role="alert">
      <div className="panel p-4 max-w-[760px] grid gap-3">
        <div className="line">
          <StatusGlyph status="paused" />
          <h2>{what}</h2>
        </div>
        <p className="muted">{who}</p>
        {actions && <div className="line">{actions}</div>}
      </div>
    </div>
  );
}

/** One line that must not be missed, above the thing it is about. */
export function Notice({ kind, children, actions }: { kind?: "bad" | "warn"; children: ReactNode; actions?: ReactNode }) {
  const shown = kind && (kind === "bad" ? "failed" : "errored");
  return (
    <div className={kind ? `notice ${kind}` : "notice"} role={kind === "bad" ? "alert" : "status"}>
      {shown && <StatusGlyph status={shown} />}
      <span className="min-w-0">{children}</span>
      {actions && <span className="actions">{actions}</span>}
    </div>
  );
}
