import "./editor.css";
import { useQueryClient } from "@tanstack/react-query";
import { useBlocker, useNavigate } from "@tanstack/react-router";
import { Save } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { useActions, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { pipelinePath } from "../paths";
import { configQuery, type Pipeline } from "../queries";
import type { Goto } from "./CodeEditor";
import { Conflict } from "./Conflict";
import { Diagnostics } from "./Diagnostics";
import { Review } from "./Review";
import { useValidation } from "./useValidation";

const CodeEditor = lazy(async () => ({ default: (await import("./CodeEditor")).CodeEditor }));

type Props = {
  title: string;
  team: string;
  name: string;
  /** What is on the server; nothing for a pipeline that does not exist yet. */
  saved?: { id: number; yaml: string; version: number; instanceVars?: Record<string, unknown> };
  start: string;
  above?: ReactNode;
  meta: ReactNode;
};

/** The configuration of a pipeline: text, what is wrong with it, what saving changes. */
export function Editor({ title, team, name, saved, start, above, meta }: Props) {
  const me = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const [text, setText] = useState(start);
  // What the text was made from. Somebody else's later version is `saved`.
  const [base, setBase] = useState({ yaml: saved?.yaml ?? "", version: saved?.version ?? 0 });
  const [taken, setTaken] = useState(0);
  const [done, setDone] = useState(false);
  const [reviewing, setReviewing] = useState(false);
  const [goto, setGoto] = useState<Goto | null>(null);
  const validation = useValidation(team, text);
  const errors = validation.diagnostics.filter(({ severity }) => severity === "error").length;
  const changed = text !== base.yaml;

  const save = useTask({
    run: () => data(api.PUT("/api/v1/ci/pipelines/config", { body: { team, name, yaml: text, version: base.version, instance_vars: saved?.instanceVars } })),
    onDone: ({ pipeline, created, warnings }) => {
      setReviewing(false);
      setDone(true);
      setBase({ yaml: text, version: pipeline.version });
      toast({ text: created ? `${name} is created${pipeline.paused ? " and paused; unpause it to let it run" : ""}` : `${name} is saved as version ${pipeline.version}${warnings.length > 0 ? ", with warnings" : ""}` });
      void client.invalidateQueries({ queryKey: ["ci", "pipelines", team] });
      void client.invalidateQueries({ queryKey: ["ci", "pipeline", pipeline.id] });
      leave(pipeline);
    },
  });
  const leave = (pipeline: Pipeline) => void navigate({ to: pipelinePath(team, pipeline.name), ignoreBlocker: true });
  useBlocker({ shouldBlockFn: () => changed && !done && text !== start && !window.confirm("Leave without saving what you typed?"), enableBeforeUnload: () => changed && !done && text !== start });

  const refused = refusal(me, team, "member") || (!name && "Give it a name first.") || (errors > 0 && `${errors === 1 ? "One error" : `${errors} errors`} must be repaired first.`) || (saved !== undefined && !changed && "Nothing has changed.");
  const ask = () => {
    if (refused) return;
    save.clear();
    if (saved) setReviewing(true);
    else void save.start();
  };
  useActions([{ id: "editor.save", label: saved ? "Review and save" : "Create the pipeline", group: "This page", keys: "mod+s", icon: Save, refused, run: ask }]);

  const problem = save.error ? asProblem(save.error) : undefined;
  const newer = saved && saved.version !== base.version && !done ? saved : undefined;
  const conflict = newer ?? (problem?.status === 409 && saved ? saved : undefined);
  return (
    <>
      <PageHeader
        title={title}
        meta={meta}
        actions={
          <Button kind="primary" icon={Save} busy={save.busy} refused={refused} onClick={ask}>
            {saved ? "Review and save" : "Create"}
          </Button>
        }
      />
      <div className="editor">
        <div className="write">
          {above}
          {conflict && (
            <Conflict
              version={conflict.version}
              mine={text}
              theirs={conflict.yaml}
              onTheirs={() => {
                setText(conflict.yaml);
                setTaken((times) => times + 1);
                setBase(conflict);
                save.clear();
              }}
              onMine={() => {
                setBase(conflict);
                save.clear();
              }}
              onRefresh={newer ? undefined : () => void client.invalidateQueries({ queryKey: configQuery(conflict.id).queryKey })}
            />
          )}
          {problem && problem.status !== 409 && !reviewing && <Notice kind="bad">{problem.message}</Notice>}
          <Suspense fallback={<SkeletonRows rows={12} label="Loading the editor" />}>
            <CodeEditor key={taken} start={text} onChange={setText} diagnostics={validation.diagnostics} goto={goto} onSave={ask} readOnly={Boolean(refusal(me, team, "member"))} />
          </Suspense>
          <Diagnostics {...validation} empty={text.trim() === ""} onGo={setGoto} />
        </div>
        <aside className="beside" aria-label="On the command line">
          <h2 className="micro">On the command line</h2>
          <CodeBlock label="Command" code={command(me.public_url, team, name || "NAME")} filled={[me.public_url, team, name || "NAME"]} />
          <p className="meta">The same file, the same checks. {saved ? "The version that fly reads is the one that is saved here." : "A new pipeline is paused until somebody lets it run."}</p>
        </aside>
      </div>
      {saved && <Review open={reviewing && problem?.status !== 409} onClose={() => setReviewing(false)} name={name} command={`fly -t ${team} set-pipeline -p ${name} -c pipeline.yml`} before={base.yaml} after={text} busy={save.busy} error={problem?.message} onSave={() => void save.start()} warnings={validation.diagnostics.length} />}
    </>
  );
}

function command(url: string, team: string, name: string): string {
  return `fly -t ${team} login -n ${team} \\\n  -c ${url}\nfly -t ${team} set-pipeline \\\n  -p ${name} -c pipeline.yml`;
}
