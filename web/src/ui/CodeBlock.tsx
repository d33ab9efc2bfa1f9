import { Fragment } from "react";
import { CopyButton } from "./CopyButton";

type Props = { code: string; label?: string; /** Parts that were filled in for the reader, shown in the colour of such. */ filled?: string[]; /** Breaks long lines: for tokens, which have no words. */ wrap?: boolean };

/** A command or snippet on the dark pane, with its copy button. */
export function CodeBlock({ code, label = "Command", filled = [], wrap }: Props) {
  return (
    <div className="code-wrap">
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls sideways and must be reachable */}
      <pre className={wrap ? "code wrapped" : "code"} aria-label={label} role="region" tabIndex={0}>
        {split(code, filled).map((part, at) => (part.fill ? <span key={at} className="fill">{part.text}</span> : <Fragment key={at}>{part.text}</Fragment>))}
      </pre>
      <CopyButton onLog text={code} what={`Copy ${label.toLowerCase()}`} />
    </div>
  );
}

function split(code: string, filled: string[]): { text: string; fill: boolean }[] {
  const wanted = filled.filter(Boolean);
  if (wanted.length === 0) return [{ text: code, fill: false }];
  const escaped = wanted.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return code.split(new RegExp(`(${escaped.join("|")})`)).map((text) => ({ text, fill: wanted.includes(text) }));
}
