import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem, type Problem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Select, Tick } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { buildAddress } from "../address";
import { buildQuery, type Job, jobQuery, type Pipeline, pipelineQuery, type RunInput, type RunValue } from "../queries";
import { useGo } from "../useGo";
import { given, mistakes, startValues, type Values } from "./runInputs";

type Props = { open: boolean; onClose: () => void; pipeline: Pipeline; job: Job; refused: string | false; /** A build whose values the form begins with. */ like?: number };

/** Asks for what the job wants to know, then starts a build. */
export function RunForm({ open, onClose, pipeline, job, refused, like }: Props) {
  const before = useQuery({ ...buildQuery(like ?? 0), enabled: open && like !== undefined });
  const ready = like === undefined || before.data || before.error;
  return (
    <Dialog open={open} onClose={onClose} title={`Run ${pipeline.name} / ${job.name}`} description={before.data ? `With the values of #${before.data.name}, except secrets.` : "The build gets the latest versions of its inputs, and these values."}>
      {open && !ready && <SkeletonRows rows={job.run_inputs?.length ?? 3} />}
      {open && ready && <Fields pipeline={pipeline} job={job} refused={refused} like={before.data?.run_inputs} onClose={onClose} />}
    </Dialog>
  );
}

type FieldsProps = Pick<Props, "pipeline" | "job" | "refused" | "onClose"> & { like?: RunValue[] };

function Fields({ pipeline, job, refused, like, onClose }: FieldsProps) {
  const inputs = job.run_inputs ?? [];
  const [values, setValues] = useState<Values>(() => startValues(inputs, like));
  const [shown, setShown] = useState<Record<string, string>>({});
  const form = useRef<HTMLFormElement>(null);
  const client = useQueryClient();
  const go = useGo();
  const toFirst = (names: string[]) => form.current?.querySelector<HTMLElement>(`[data-input="${CSS.escape(inputs.find(({ name }) => names.includes(name))?.name ?? "")}"] :is(input, select)`)?.focus();
  const task = useTask({
    run: async () => {
      try {
        return await data(api.POST("/api/v1/ci/jobs/{id}/trigger", { params: { path: { id: job.id } }, body: { inputs: given(inputs, values) } }));
      } catch (thrown) {
        const said = byInput(asProblem(thrown));
        setShown(said);
        toFirst(Object.keys(said));
        throw thrown;
      }
    },
    onDone: (build) => {
      void client.invalidateQueries({ queryKey: jobQuery(job.id).queryKey });
      void client.invalidateQueries({ queryKey: pipelineQuery(pipeline.id).queryKey });
      onClose();
      go(buildAddress(pipeline, job.name, build));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (refused) return;
    const found = mistakes(inputs, values);
    setShown(found);
    if (Object.keys(found).length > 0) toFirst(Object.keys(found));
    else void task.start();
  };
  const set = (name: string, value: string | boolean) => {
    setValues((before) => ({ ...before, [name]: value }));
    setShown((before) => Object.fromEntries(Object.entries(before).filter(([other]) => other !== name)));
  };
  const problem = task.error ? asProblem(task.error) : undefined;
  return (
    <form className="grid gap-3" ref={form} onSubmit={submit} noValidate>
      {problem && Object.keys(byInput(problem)).length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      {inputs.map((input, at) => (
        <div key={input.name} data-input={input.name}>
          <One input={input} value={values[input.name]} error={shown[input.name]} first={at === 0} onValue={(value) => set(input.name, value)} />
        </div>
      ))}
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} refused={refused}>
          Run
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}

/** What the server said of each input. */
function byInput({ fields }: Problem): Record<string, string> {
  return Object.fromEntries(fields.map(({ field, message }) => [field.replace(/^inputs\./, ""), message]));
}

type OneProps = { input: RunInput; value: string | boolean | undefined; error?: string; first: boolean; onValue: (value: string | boolean) => void };

function One({ input: { name, type, description, required, options, pattern }, value, error, first, onValue }: OneProps) {
  if (type === "bool") {
    return (
      <div className="grid gap-1">
        <Tick checked={value === true} autoFocus={first} onChange={(event) => onValue(event.target.checked)}>
          {name}
        </Tick>
        {(error || description) && <p className={error ? "meta text-failed" : "meta"}>{error ?? description}</p>}
      </div>
    );
  }
  const label = (
    <>
      {name}
      {required && <span className="muted"> required</span>}
    </>
  );
  const hint = [description, type === "secret" && "Stored encrypted with the build, masked in its log, never shown", type === "string" && pattern && `Must match ${pattern}`].filter(Boolean).join(". ");
  const text = String(value ?? "");
  return (
    <Field label={label} hint={hint || undefined} error={error}>
      {type === "choice" ? (
        <Select value={text} autoFocus={first} options={[...(required ? [] : [{ value: "", label: "none" }]), ...options.map((option) => ({ value: option, label: option }))]} onValue={onValue} />
      ) : (
        <Input mono={type === "secret"} type={type === "secret" ? "password" : "text"} value={text} autoFocus={first} autoComplete={type === "secret" ? "new-password" : "off"} spellCheck={false} onChange={(event) => onValue(event.target.value)} />
      )}
    </Field>
  );
}
