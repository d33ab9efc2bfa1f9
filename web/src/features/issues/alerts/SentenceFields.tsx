import { Plus, X } from "lucide-react";
import { type ReactNode, useId } from "react";
import type { Problem } from "@/api/problem";
import { Button, IconButton } from "@/ui/Button";
import { Input, Select, Tick } from "@/ui/Field";
import type { Project } from "../queries";
import { aboutIssues, conditions, type ConditionType, type Form, numbers, once, type Outcome, outcomes, span, spans, throttles, throttleWords, windows, withType } from "./form";
import type { AlertAction, AlertTargets } from "./queries";

type Props = { form: Form; onChange: (form: Form) => void; projects: Project[]; targets: AlertTargets; problem?: Problem };

/** A rule as a sentence whose words are chosen. */
export function SentenceFields({ form, onChange, projects, targets, problem }: Props) {
  const set = (change: Partial<Form>) => onChange({ ...form, ...change });
  const list = useId();
  const said = (name: string) => problem?.field(name);
  const single = aboutIssues(form.type);
  const wrong = ["condition.count", "condition.minutes", "condition.percent", "condition.factor", "condition"].map(said).find(Boolean);
  return (
    <div className="issues-sentence">
      <Row word="When" error={wrong}>
        <Select compact aria-label="When" value={form.type} options={conditions} onValue={(type) => onChange(withType(form, type as ConditionType))} />
        <Numbers form={form} set={set} />
      </Row>
      <Row word="In" error={said("project") ?? said("environment")}>
        <Select compact aria-label="Project" value={String(form.project)} options={[{ value: "0", label: "all projects" }, ...projects.map(({ id, slug }) => ({ value: String(id), label: slug }))]} onValue={(id) => set({ project: Number(id) })} />
        <Input compact aria-label="Environment" placeholder="any environment" className="issues-short" list={list} value={form.environment} onChange={(event) => set({ environment: event.target.value })} autoComplete="off" spellCheck={false} />
        <datalist id={list}>
          {targets.environments.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </Row>
      {single && (
        <Row word="Which" error={problem?.fields.find(({ field }) => field.startsWith("query"))?.message}>
          <Input compact mono aria-label="Which errors, as in the list" className="issues-grow" placeholder="any; or level:fatal release:2.* as in the list" value={form.query} onChange={(event) => set({ query: event.target.value })} autoComplete="off" spellCheck={false} />
        </Row>
      )}
      <Row word="Tell" error={said("actions")}>
        <Actions form={form} set={set} targets={targets} single={single} />
      </Row>
      <Row word="At most" error={said("throttle_minutes")}>
        <Select compact aria-label="At most" value={String(form.throttle)} options={spans(once(form.type) ? [0, ...throttles] : throttles, form.throttle, throttleWords)} onValue={(minutes) => set({ throttle: Number(minutes) })} />
        <span className="muted">{single ? "for each issue" : form.type === "monitor" ? "for each monitor" : "for each project"}</span>
      </Row>
      <Row word="Named" error={said("name")}>
        <Input compact aria-label="Name" className="issues-grow" placeholder="by its sentence" value={form.name} onChange={(event) => set({ name: event.target.value })} autoComplete="off" />
      </Row>
    </div>
  );
}

function Row({ word, error, children }: { word: string; error?: string; children: ReactNode }) {
  return (
    <div className="row" role="group" aria-label={word}>
      <span className="word">{word}</span>
      <div className="parts">
        {children}
        {error && (
          <p className="hint bad" role="alert">
            {error}
          </p>
        )}
      </div>
    </div>
  );
}

type PartProps = { form: Form; set: (change: Partial<Form>) => void };

function Numbers({ form, set }: PartProps) {
  const needs = numbers[form.type];
  const number = (key: "count" | "percent" | "factor", label: string, step = "1") => (
    <Input compact type="number" min={0} step={step} className="issues-number" aria-label={label} value={form[key]} onChange={(event) => set({ [key]: event.target.value })} />
  );
  const within = <Select compact aria-label="Within" value={String(form.minutes)} options={spans(windows(form.type), form.minutes, (minutes) => span(minutes))} onValue={(minutes) => set({ minutes: Number(minutes) })} />;
  if (form.type === "monitor") return <Outcomes form={form} set={set} />;
  if (needs.count === undefined) return null;
  switch (form.type) {
    case "spike":
      return (
        <>
          <span>namely</span> {number("factor", "How many times as many", "0.1")} <span>times those of the same</span> {within} <span>last week, and at least</span> {number("count", "At least how many")}
        </>
      );
    case "crash_free":
      return (
        <>
          <span>so that less than</span> {number("percent", "Percent without a crash", "0.1")} <span>% of at least</span> {number("count", "At least how many sessions")} <span>within</span> {within} <span>end well</span>
        </>
      );
    default:
      return (
        <>
          <span>namely</span> {number("count", form.type === "users" ? "How many users" : "How many times")} <span>{form.type === "users" ? "users within" : "times within"}</span> {within}
        </>
      );
  }
}

function Outcomes({ form, set }: PartProps) {
  const toggle = (outcome: Outcome) => {
    const next = form.outcomes.includes(outcome) ? form.outcomes.filter((one) => one !== outcome) : [...form.outcomes, outcome];
    if (next.length > 0) set({ outcomes: next });
  };
  return (
    <>
      <span>namely</span>
      {outcomes.map(({ value, label }) => (
        <Tick key={value} checked={form.outcomes.includes(value)} onChange={() => toggle(value)}>
          {label}
        </Tick>
      ))}
    </>
  );
}

const verbs: Record<AlertAction["type"], string> = { mail: "by mail", slack: "in Slack", webhook: "by webhook", github: "as an issue at GitHub", github_issue: "" };

function Actions({ form, set, targets, single }: PartProps & { targets: AlertTargets; single: boolean }) {
  const change = (at: number, action: AlertAction) => set({ actions: form.actions.map((one, index) => (index === at ? action : one)) });
  const options = (current: AlertAction) => [
    ...targets.channels.map(({ id, kind, name, summary, enabled }) => ({ value: id, label: `${name} ${verbs[kind]}${summary && summary !== name ? ` (${summary})` : ""}${enabled ? "" : ", switched off"}` })),
    ...(single ? [{ value: "github", label: "open an issue at GitHub", disabled: !targets.github && current.type !== "github_issue" }] : []),
    ...(current.type !== "github_issue" && !targets.channels.some(({ id }) => id === current.target) ? [{ value: current.target, label: "a channel that is gone" }] : []),
  ];
  const choose = (at: number, value: string) => {
    const channel = targets.channels.find(({ id }) => id === value);
    change(at, channel ? { type: channel.kind, target: channel.id } : { type: "github_issue", target: "" });
  };
  const spare = targets.channels.find(({ id }) => !form.actions.some(({ target }) => target === id));
  const more = spare ? { type: spare.kind, target: spare.id } : single && targets.github ? { type: "github_issue" as const, target: "" } : undefined;
  return (
    <div className="grid gap-2 min-w-0 w-full">
      {form.actions.map((action, at) => (
        <span key={at} className="line flex-wrap">
          <Select compact aria-label={`Whom, ${at + 1}`} value={action.type === "github_issue" ? "github" : action.target} options={options(action)} onValue={(value) => choose(at, value)} />
          {action.type === "github_issue" && <Input compact mono aria-label={`Repository, ${at + 1}`} className="issues-short" placeholder="acme/shop" value={action.target} onChange={(event) => change(at, { ...action, target: event.target.value })} autoComplete="off" spellCheck={false} />}
          {form.actions.length > 1 && <IconButton size="small" icon={X} label={`Tell one less, ${at + 1}`} onClick={() => set({ actions: form.actions.filter((_, index) => index !== at) })} />}
        </span>
      ))}
      {form.actions.length === 0 && !more && <span className="muted">nobody yet</span>}
      {more && (
        <span>
          <Button size="small" icon={Plus} onClick={() => set({ actions: [...form.actions, more] })}>
            {form.actions.length === 0 ? "Tell somebody" : "And also"}
          </Button>
        </span>
      )}
    </div>
  );
}
