import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Input } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Kbd } from "@/ui/Kbd";
import { Notice } from "@/ui/states";
import { runPath } from "./paths";
import { ask, type Page, type Run, runQuery } from "./queries";

type Props = {
  team: string;
  thread?: string;
  label: string;
  examples?: string[];
  /** What the asker looks at. */
  page?: Page;
  /** Takes the run; without it the run opens as a page of its own. */
  onRun?: (run: Run) => void;
  focus?: boolean;
  /** What stands in the box to begin with. */
  initial?: string;
};

/** Where a question is typed. */
export function AskBox({ team, thread, label, examples = [], page, onRun, focus = !thread, initial = "" }: Props) {
  const [text, setText] = useState(initial);
  const client = useQueryClient();
  const navigate = useNavigate();
  const task = useTask({
    run: (question: string) => ask(team, question, thread, page),
    onDone: (run) => {
      setText("");
      // It may have ended meanwhile: then the page must not be told that it runs.
      if (!client.getQueryData(runQuery(run.id).queryKey)) client.setQueryData(runQuery(run.id).queryKey, run);
      void client.invalidateQueries({ queryKey: ["assistant"] });
      if (onRun) onRun(run);
      else void navigate({ to: runPath(team, run.id) });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() && !task.busy) void task.start(text);
  };
  return (
    <form className="assistant-ask" onSubmit={submit} aria-label={label}>
      <div className="box">
        <Input value={text} maxLength={2000} autoFocus={focus} aria-label={label} placeholder={label} onChange={({ target }) => setText(target.value)} />
        <Button kind="primary" size="form" type="submit" busy={task.busy} refused={!text.trim() && "Type a question first."}>
          Ask <Kbd keys="Enter" />
        </Button>
      </div>
      {task.error ? <Notice kind="bad">{asProblem(task.error).message}</Notice> : null}
      {examples.length > 0 && (
        <ul className="tries" aria-label="Questions that are answered">
          {examples.map((example) => (
            <li key={example}>
              <button type="button" className="link" onClick={() => !task.busy && void task.start(example)}>
                {example}
              </button>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}
