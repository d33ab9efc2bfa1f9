import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { asProblem } from "@/api/problem";
import { Textarea } from "@/ui/Field";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { checkQuery, type Finding } from "./queries";
import { useSettled } from "./useSettled";
import { findingWords, rangeOf } from "./words";

type Props = { team: string; text: string; onText: (text: string) => void; readOnly: boolean };

/** The text of a policy, and what is wrong with it while it is typed. */
export function PolicyText({ team, text, onText, readOnly }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const { data: check, error, isFetching } = useQuery(checkQuery(team, useSettled(text, 300)));
  const go = (finding: Finding) => {
    const [from, to] = rangeOf(text, finding);
    area.current?.focus();
    area.current?.setSelectionRange(from, to);
  };
  return (
    <>
      <Textarea ref={area} mono className="edge-text" aria-label="Policy" value={text} readOnly={readOnly} spellCheck={false} onChange={({ target }) => onText(target.value)} />
      <div className="edge-findings pt-2" aria-label="Checks" role="region">
        <p className="meta" role="status">
          {error ? `Not checked: ${asProblem(error).message}` : check ? findingWords(check.findings) : "checking"}
          {isFetching && check && " · checking"}
        </p>
        {check?.findings.map((finding, at) => (
          <button key={at} type="button" onClick={() => go(finding)}>
            <StatusGlyph status={finding.warning ? "errored" : "failed"} label={finding.warning ? "warning" : "mistake"} />
            <span className="mono">
              {finding.line}:{finding.column}
            </span>
            <span>
              {finding.message} <span className="meta">{finding.path}</span>
            </span>
          </button>
        ))}
        {check?.sentence && <p className="pt-2">{check.sentence}</p>}
      </div>
    </>
  );
}
