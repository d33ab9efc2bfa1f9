import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { asProblem } from "@/api/problem";
import { plural } from "@/format/bytes";
import { Field, Textarea } from "@/ui/Field";
import { Segmented } from "@/ui/Segmented";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { useSettled } from "../useSettled";
import { type MaskedLine, type MaskingRules, maskingPreviewQuery } from "./queries";
import { masked, most, pastedLines, taken } from "./rules";

/** What rules would do to real lines, before they do it. */
export function MaskingPreview({ team, rules }: { team: string; rules: MaskingRules }) {
  const [on, setOn] = useState<"newest" | "own">("newest");
  const [pasted, setPasted] = useState("");
  const lines = pastedLines(useSettled(on === "own" ? pasted : "", 300));
  const idle = on === "own" && lines.length === 0;
  const { data, error, isFetching } = useQuery({ ...maskingPreviewQuery(team, rules, lines), placeholderData: keepPreviousData, enabled: !idle });
  const problem = error ? asProblem(error) : undefined;
  const shown = !idle && !problem ? data : undefined;
  return (
    <section aria-label="Preview" className="logs-preview">
      <div className="section-head">
        <h2>On real lines</h2>
        {shown && (
          <span className="meta" aria-live="polite">
            {isFetching ? "looking…" : shown.changed === 0 ? `nothing in ${plural(shown.looked, "line")} would be masked` : `${shown.changed} of ${plural(shown.looked, "line")} would be masked`}
          </span>
        )}
        <span className="actions">
          <Segmented label="Lines to try them on" value={on} onChange={setOn} options={[{ value: "newest", label: "Newest" }, { value: "own", label: "Pasted" }]} />
        </span>
      </div>
      {on === "own" && (
        <Field label="Lines to try them on" hint={`Text or JSON, at most ${most} lines. They are looked at and kept nowhere.`} className="mb-3">
          <Textarea mono rows={5} value={pasted} onChange={({ target }) => setPasted(target.value)} placeholder='login of ann, password=hunter2' spellCheck={false} />
        </Field>
      )}
      {problem && <Notice kind={problem.fields.length > 0 ? "warn" : "bad"}>{problem.fields[0]?.message ?? problem.message}</Notice>}
      {!data && !problem && !idle && <SkeletonRows rows={5} />}
      {shown && <Lines lines={shown.lines} />}
      {shown && shown.changed > shown.lines.length && <p className="meta pt-2">and {plural(shown.changed - shown.lines.length, "line")} more</p>}
      {shown?.changed === 0 && (
        <p className="muted">{on === "own" ? "These rules leave the lines as they are." : shown.looked === 0 ? "No line came within a day: paste some to try the rules on." : "What the rules of today take was gone before these lines were kept. Add a rule, or paste lines as programs write them."}</p>
      )}
    </section>
  );
}

function Lines({ lines }: { lines: MaskedLine[] }) {
  return (
    <ol className="logs-masked">
      {lines.map(({ before, after }, at) => (
        <li key={at}>
          {taken(before, after).map((piece, place) =>
            piece.taken ? (
              <Fragment key={place}>
                <del>{piece.text}</del> <ins>{masked}</ins>
              </Fragment>
            ) : (
              <Fragment key={place}>{piece.text}</Fragment>
            ),
          )}
        </li>
      ))}
    </ol>
  );
}
