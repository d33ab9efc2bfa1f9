import { keepPreviousData, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { type FormEvent, useDeferredValue, useRef, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Field, Textarea } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { useMemberRefusal } from "../acts";
import { privacySearch } from "../privacy/search";
import { useSettled } from "../privacy/useSettled";
import { ProjectHeader } from "../project/ProjectHeader";
import { useProject } from "../project/useProject";
import type { Project } from "../queries";
import { rangeOfLine, wrongLine } from "./mistakes";
import { GroupingPreview } from "./GroupingPreview";
import { groupingPreviewQuery, groupingRulesQuery } from "./queries";

/** What makes several errors one issue, where their stacks do not tell. */
export function GroupingPage() {
  const { team, project } = useProject();
  const { rules } = useSuspenseQuery(groupingRulesQuery(project.id)).data;
  return (
    <>
      <ProjectHeader team={team} project={project} page="Grouping" />
      <Rules key={`${project.id}${rules}`} team={team} project={project} known={rules} />
    </>
  );
}

const examples = `# One issue for all that the database does not answer
type:DatabaseError function:connect* -> database-down
# One issue per shop, with a title of its own
message:"connection * lost" !environment:dev -> lost, {{ tags.shop }} title="Connection of {{ tags.shop }} lost"`;

function Rules({ team, project, known }: { team: string; project: Project; known: string }) {
  const [text, setText] = useState(known);
  const box = useRef<HTMLTextAreaElement>(null);
  const [{ event }, setSearch] = useUrlState(privacySearch);
  const refused = useMemberRefusal(team);
  const client = useQueryClient();
  const toast = useToast();
  const shown = useDeferredValue(useSettled(text, 300));
  const dirty = text !== known;
  const save = useTask({
    run: () => data(api.PUT("/api/v1/issues/projects/{id}/grouping", { params: { path: { id: project.id } }, body: { rules: text } })),
    onDone: (saved) => {
      client.setQueryData(groupingRulesQuery(project.id).queryKey, saved);
      toast({ text: "The rules hold for what comes from now on" });
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const tried = useQuery({ ...groupingPreviewQuery(project.id, shown, event), placeholderData: keepPreviousData, enabled: Boolean(project.first_event_at) });
  const failed = tried.error ? asProblem(tried.error) : undefined;
  const wrong = wrongLine((failed ?? problem)?.fields);
  const mark = (line: number) => {
    box.current?.focus();
    box.current?.setSelectionRange(...rangeOfLine(text, line));
  };
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault();
    void save.start();
  };
  return (
    <div className="issues-privacy">
      <form className="pane issues-rules" onSubmit={submit} noValidate>
        {problem && !wrong && <Notice kind="bad">{problem.message}</Notice>}
        <Field
          label="Rules of this project"
          hint="One a line; the first that matches decides. Without one, the stack, the message and what the client says decide."
          error={
            wrong && (
              <>
                <button type="button" className="link underline" onClick={() => mark(wrong.line)}>
                  Line {wrong.line}
                </button>
                : {wrong.message}
              </>
            )
          }
        >
          <Textarea ref={box} mono rows={Math.min(24, Math.max(8, text.split("\n").length + 1))} wrap="off" value={text} onChange={(changed) => {
              setText(changed.target.value);
              save.clear();
            }} spellCheck={false} autoComplete="off" />
        </Field>
        <div className="line">
          <Button kind="primary" size="form" type="submit" busy={save.busy} refused={refused || (!dirty && "Nothing is changed.")}>
            Save
          </Button>
          <span className="meta">{dirty ? "not saved yet; the preview shows it" : "holds for events that come from now on"}</span>
        </div>
        <section aria-label="How a rule is written">
          <h2>How a rule is written</h2>
          <CodeBlock code={examples} label="Examples" />
          <p className="meta">
            Before the arrow: type, value, message, module, function, path, package, level, logger, release, environment, transaction, platform and tags.NAME, with * and ? in their patterns and ! for “not”. After it: the fingerprint. Equal fingerprints are one issue; {"{{ default }}"} stands for what would decide without the rule.
          </p>
        </section>
      </form>
      <GroupingPreview team={team} project={project} event={event} onEvent={(next) => setSearch({ event: next })} found={tried.data} looking={tried.isFetching} problem={failed} />
    </div>
  );
}
