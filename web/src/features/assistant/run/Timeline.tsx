import { Bot } from "lucide-react";
import { useState } from "react";
import { CodeBlock } from "@/ui/CodeBlock";
import { Icon } from "@/ui/Icon";
import { Segmented } from "@/ui/Segmented";
import { StatusGlyph } from "@/ui/StatusGlyph";
import type { Run, Step, Turn } from "../queries";
import { took } from "../words";
import { pretty, stepStatus, summaryOf } from "./step";
import { timelineOf } from "./timeline";

/** Opens a call in the timeline and brings it into view. */
export function showStep(step: number): void {
  const details = document.getElementById(`step-${step}`);
  if (!(details instanceof HTMLDetailsElement)) return;
  details.open = true;
  details.scrollIntoView({ block: "nearest" });
  details.querySelector("summary")?.focus({ preventScroll: true });
}

/** What a run did: every turn of the model and every call, with what it gave. */
export function Timeline({ run }: { run: Run }) {
  const [raw, setRaw] = useState<"short" | "raw">("short");
  const rows = timelineOf(run);
  if (rows.length === 0) return null;
  return (
    <section aria-label="What it did">
      <div className="section-head">
        <h2>What it did</h2>
        <span className="meta">results are data, never orders</span>
        <span className="push" />
        <Segmented
          label="Form of results"
          value={raw}
          options={[
            { value: "short", label: "Short" },
            { value: "raw", label: "Raw" },
          ]}
          onChange={setRaw}
        />
      </div>
      <ol className="assistant-steps">
        {rows.map((row) => (
          <li key={row.key}>
            <details id={row.key}>
              <summary>
                {row.step ? <StatusGlyph status={stepStatus(row.step)} label={row.step.failed ? "failed" : row.step.kind} /> : <Icon of={Bot} />}
                <span className="clip">
                  {row.step && <span className="n">{row.step.number}</span>}
                  {row.step ? <code>{row.step.tool}</code> : `Model, turn ${row.turn.number}`}
                </span>
                <span className="when" aria-hidden="true">
                  <span style={{ marginLeft: `${row.from}%`, width: `${Math.min(row.size, 100 - row.from)}%` }} />
                </span>
                <span className="meta num">{took((row.step ?? row.turn).milliseconds)}</span>
              </summary>
              {row.step ? <StepBody step={row.step} raw={raw === "raw"} /> : <TurnBody turn={row.turn} />}
            </details>
          </li>
        ))}
      </ol>
    </section>
  );
}

function StepBody({ step, raw }: { step: Step; raw: boolean }) {
  const short = raw ? undefined : summaryOf(step);
  return (
    <>
      {step.kind === "guard" && <p className="meta">Not allowed; the call was not made.</p>}
      {step.kind === "approval" && <p className="meta">Not called: it waits for a person.</p>}
      {short ? (
        <dl className="assistant-short">
          {short.map(([name, value], at) => (
            <div key={at}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      ) : (
        <>
          <CodeBlock label="Arguments" code={JSON.stringify(step.args, null, 2)} />
          <CodeBlock label="Result" code={pretty(step.result)} />
        </>
      )}
      {step.bytes > step.result.length && <p className="meta">The first {step.result.length} of {step.bytes} bytes are kept.</p>}
    </>
  );
}

function TurnBody({ turn }: { turn: Turn }) {
  return (
    <>
      <p className="meta">
        shown {turn.shown} messages and {turn.tools} tools · {turn.tokens_in} + {turn.tokens_out} tokens · ended: {turn.stop || "error"}
      </p>
      {turn.error && <p className="meta">{turn.error}</p>}
      {turn.text && <CodeBlock label="Said" code={turn.text} wrap />}
      {(turn.calls ?? []).map((call, at) => (
        <CodeBlock key={at} label={`Wants ${call.tool}`} code={`${call.tool} ${JSON.stringify(call.args)}`} wrap />
      ))}
    </>
  );
}
