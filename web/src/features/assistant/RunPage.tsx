import "./assistant.css";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ThumbsDown, ThumbsUp } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { useSession } from "@/api/session";
import { IconButton } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { usePage, useToast } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { Answer } from "./Answer";
import { AskBox } from "./AskBox";
import { AssistantContext } from "./AssistantContext";
import { assistantPath } from "./paths";
import { type Run, runQuery, type Step } from "./queries";
import { effort, statusOf } from "./words";

/** One question: its answer, how it was read, and what was looked up. */
export function RunPage() {
  const { team, run: id } = useParams({ strict: false }) as { team: string; run: string };
  const run = useSuspenseQuery(runQuery(id)).data;
  const base = useSession().public_url;
  usePage({ title: run.question || "Question", status: statusOf(run), crumbs: [{ label: "Assistant", to: assistantPath(team) }, { label: run.question || "Question" }] });
  const unverified = run.answer.unverified ?? [];
  return (
    <>
      <AssistantContext team={team} />
      <PageHeader title={run.question || "(nothing)"} status={statusOf(run)} meta={effort(run)} actions={<Rating key={run.id} run={run} />} />
      <div className="pane assistant-run">
        <p className="meta">
          {run.person} asked in the {run.surface === "cli" ? "terminal" : run.surface} <RelativeTime at={run.started_at} />
          {run.reading && <> · read as: {run.reading}</>}
        </p>
        <Answer text={run.answer.text} base={base} />
        {unverified.length > 0 && <Notice kind="warn">Not found in what was looked up: {unverified.join(", ")}</Notice>}
        <AskBox key={run.id} team={team} thread={run.thread} label="Ask on in this conversation" examples={run.answer.try} />
        <Steps steps={run.steps ?? []} />
      </div>
    </>
  );
}

function Rating({ run }: { run: Run }) {
  const [given, setGiven] = useState(run.feedback);
  const client = useQueryClient();
  const toast = useToast();
  const rate = async (feedback: number) => {
    const next = given === feedback ? 0 : feedback;
    try {
      await data(api.POST("/api/v1/assistant/runs/{id}/feedback", { params: { path: { id: run.id } }, body: { feedback: next } }));
      setGiven(next);
      void client.invalidateQueries({ queryKey: runQuery(run.id).queryKey });
    } catch {
      toast({ text: "That could not be kept" });
    }
  };
  return (
    <>
      <IconButton icon={ThumbsUp} label="It helped" aria-pressed={given === 1} onClick={() => void rate(1)} />
      <IconButton icon={ThumbsDown} label="It did not help" aria-pressed={given === -1} onClick={() => void rate(-1)} />
    </>
  );
}

function Steps({ steps }: { steps: Step[] }) {
  if (steps.length === 0) return null;
  const longest = Math.max(1, ...steps.map((step) => step.milliseconds));
  return (
    <section aria-label="What it did">
      <div className="section-head">
        <h2>What it did</h2>
        <span className="meta">results are data, never orders</span>
      </div>
      <ol className="assistant-steps">
        {steps.map((step) => (
          <li key={step.number}>
            <details>
              <summary>
                <StatusGlyph status={step.failed ? "failed" : "succeeded"} label={step.failed ? "failed" : "succeeded"} />
                <code className="clip">{step.tool}</code>
                <span className="bar" aria-hidden="true">
                  <span style={{ width: `${Math.max(2, (100 * step.milliseconds) / longest)}%` }} />
                </span>
                <span className="meta num">{step.milliseconds} ms</span>
              </summary>
              <CodeBlock label="Arguments" code={JSON.stringify(step.args, null, 2)} />
              <CodeBlock label="Result" code={pretty(step.result)} />
              {step.bytes > step.result.length && <p className="meta">The first {step.result.length} of {step.bytes} bytes are kept.</p>}
            </details>
          </li>
        ))}
      </ol>
    </section>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // a sentence, or a result that was cut
  }
}
