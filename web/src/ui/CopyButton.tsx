import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, IconButton } from "./Button";
import { copyText } from "./clipboard";
import { Icon } from "./Icon";

function useCopied() {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (text: string) => setCopied(await copyText(text));
  return { copied, copy };
}

type Props = { text: string | (() => string); what?: string; words?: boolean; onLog?: boolean };

/** Copies; the icon turns into a tick for a moment. `words` shows "Copy", `onLog` stands on a dark pane. */
export function CopyButton({ text, what = "Copy", words, onLog }: Props) {
  const { copied, copy } = useCopied();
  const press = () => void copy(typeof text === "string" ? text : text());
  const said = (
    <span className="sr" role="status">
      {copied ? "Copied" : ""}
    </span>
  );
  if (words || onLog) {
    return (
      <Button size="small" className={onLog ? "on-log" : undefined} icon={copied ? Check : Copy} onClick={press} aria-label={what}>
        {copied ? "Copied" : "Copy"}
        {said}
      </Button>
    );
  }
  return (
    <>
      <IconButton size="small" icon={copied ? Check : Copy} label={copied ? "Copied" : what} onClick={press} />
      {said}
    </>
  );
}

/** An id, digest or SHA that is copied by pressing it. `text` may be longer than what is shown. */
export function Copyable({ text, children, what }: { text: string; children?: string; what?: string }) {
  const { copied, copy } = useCopied();
  return (
    <button type="button" className="copy" onClick={() => void copy(text)} title={what ?? `Copy ${text}`}>
      <span>{copied ? "Copied" : (children ?? text)}</span>
      <Icon of={copied ? Check : Copy} size="s" />
    </button>
  );
}
