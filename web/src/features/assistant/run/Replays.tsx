import { useQuery, useQueryClient } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { Answer } from "../Answer";
import { type Run, replay, replaysQuery } from "../queries";
import { effort, plannerWord, statusOf, statusWord } from "../words";

/** The same question with another planner, side by side. Nothing is changed or proposed by it. */
export function Replays({ run, base }: { run: Run; base: string }) {
  const client = useQueryClient();
  const list = useQuery(replaysQuery(run.id)).data?.items ?? [];
  const again = useTask({
    run: (planner: "plan" | "model") => replay(run.id, planner),
    onDone: () => void client.invalidateQueries({ queryKey: replaysQuery(run.id).queryKey }),
  });
  return (
    <section aria-label="Asked again">
      <div className="section-head">
        <h2>Ask again</h2>
        <span className="meta">as of its own moment; nothing is changed or proposed</span>
      </div>
      <p className="assistant-acts">
        <Button icon={RotateCcw} busy={again.busy} onClick={() => void again.start("plan")}>
          With plans
        </Button>
        <Button icon={RotateCcw} busy={again.busy} onClick={() => void again.start("model")}>
          With the language model
        </Button>
      </p>
      {again.error ? <Notice kind="bad">{asProblem(again.error).message}</Notice> : null}
      {list[0] && (
        <div className="assistant-sides">
          <Side run={run} base={base} title="This run" />
          <Side run={list[0]} base={base} title="Asked again" />
        </div>
      )}
    </section>
  );
}

function Side({ run, base, title }: { run: Run; base: string; title: string }) {
  return (
    <article aria-label={title}>
      <h3>
        <StatusGlyph status={statusOf(run)} label={statusWord(run)} /> {title}
      </h3>
      <p className="meta">
        {plannerWord(run)} · {effort(run)} · <RelativeTime at={run.started_at} />
      </p>
      <Answer text={run.answer.text} base={base} />
    </article>
  );
}
