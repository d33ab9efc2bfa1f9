import { Plus, X } from "lucide-react";
import { type ReactNode, useId } from "react";
import type { Problem } from "@/api/problem";
import { Button, IconButton } from "@/ui/Button";
import { Input, Select, Tick } from "@/ui/Field";
import { figures, type Form, type Kind, kinds, memories, type Op, ops, reminders, span, spans, throttles, throttleWords, windows, withKind } from "./form";
import type { AlertAction, AlertTargets } from "./queries";

type Props = { form: Form; onChange: (form: Form) => void; names: string[]; targets: AlertTargets; problem?: Problem };

/** An alert as a sentence whose words are chosen. */
export function SentenceFields({ form, onChange, names, targets, problem }: Props) {
  const set = (change: Partial<Form>) => onChange({ ...form, ...change });
  const list = useId();
  const said = (...fields: string[]) => fields.map((field) => problem?.field(field)).find(Boolean);
  const apart = form.kind === "threshold" || form.kind === "absence";
  return (
    <div className="logs-sentence">
      <datalist id={list}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <Row word="When" error={said("condition.kind", "condition.figure", "condition.op", "condition.value", "condition.minutes", "condition.days", "condition.least", "condition")}>
        <Select compact aria-label="When" value={form.kind} options={kinds} onValue={(kind) => onChange(withKind(form, kind as Kind))} />
        <Numbers form={form} set={set} list={list} />
      </Row>
      <Row word="Which" error={said("condition.query", "query")}>
        <Input compact mono aria-label="Which lines" className="logs-grow" placeholder='all; or level:>=error "connection refused" -service:web' value={form.query} onChange={(event) => set({ query: event.target.value })} autoComplete="off" spellCheck={false} />
      </Row>
      {form.kind === "ratio" && (
        <Row word="Of which" error={said("condition.over", "over")}>
          <Input compact mono aria-label="Lines that are the whole" className="logs-grow" placeholder="all; or service:api" value={form.over} onChange={(event) => set({ over: event.target.value })} autoComplete="off" spellCheck={false} />
        </Row>
      )}
      {apart && (
        <Row word="For each" error={said("condition.by")}>
          <Input compact mono aria-label="Each value of" className="logs-short" list={list} placeholder="all together" value={form.by} onChange={(event) => set({ by: event.target.value })} autoComplete="off" spellCheck={false} />
          <span className="muted">{form.by.trim() ? (form.kind === "absence" ? "that wrote within a week" : "each of its values is watched apart") : "or a field, as service: each of its values is watched apart"}</span>
        </Row>
      )}
      <Row word="Tell" error={said("actions")}>
        <Actions form={form} set={set} targets={targets} />
      </Row>
      {form.actions.length > 0 && (
        <Row word="At most" error={said("throttle_minutes", "remind_minutes")}>
          <Select compact aria-label="At most" value={String(form.throttle)} options={spans(throttles, form.throttle, throttleWords)} onValue={(minutes) => set({ throttle: Number(minutes) })} />
          <Select compact aria-label="While it lasts" value={String(form.remind)} options={spans(reminders, form.remind, (minutes) => (minutes === 0 ? "and not again while it lasts" : `and again every ${span(minutes).replace(/^1 /, "")} while it lasts`))} onValue={(minutes) => set({ remind: Number(minutes) })} />
          <Tick checked={form.resolve} onChange={({ target }) => set({ resolve: target.checked })}>
            tell too when it is over
          </Tick>
        </Row>
      )}
      <Row word="Named" error={said("name")}>
        <Input compact aria-label="Name" className="logs-grow" placeholder="by its sentence" value={form.name} onChange={(event) => set({ name: event.target.value })} autoComplete="off" />
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

function Numbers({ form, set, list }: PartProps & { list: string }) {
  const number = (key: "value" | "least", label: string) => <Input compact type="number" min={0} step="any" className="logs-number" aria-label={label} value={form[key]} onChange={(event) => set({ [key]: event.target.value })} />;
  const within = (label = "Within") => <Select compact aria-label={label} value={String(form.minutes)} options={spans(windows, form.minutes)} onValue={(minutes) => set({ minutes: Number(minutes) })} />;
  const compared = <Select compact aria-label="Compared" value={form.op} options={ops} onValue={(op) => set({ op: op as Op })} />;
  switch (form.kind) {
    case "threshold":
      return (
        <>
          <span>namely</span> <Figure form={form} set={set} list={list} /> <span>is</span> {compared} {number("value", "How much")} <span>within</span> {within()}
        </>
      );
    case "absence":
      return (
        <>
          <span>within</span> {within()}
        </>
      );
    case "ratio":
      return (
        <>
          <span>namely</span> {compared} {number("value", "Percent")} <span>% of at least</span> {number("least", "At least how many lines")} <span>lines within</span> {within()}
        </>
      );
    case "pattern":
      return (
        <>
          <span>not seen for</span> <Select compact aria-label="Not seen for" value={String(form.days)} options={spans(memories, form.days, (days) => span(days * 1440))} onValue={(days) => set({ days: Number(days) })} /> <span>and shown for</span> {within("Shown for")}
        </>
      );
  }
}

function Figure({ form, set, list }: PartProps & { list: string }) {
  const own = figures.some(({ value }) => value === form.figure) ? [] : [{ value: form.figure, label: form.figure }];
  return (
    <>
      <Select compact aria-label="Figure" value={form.figure} options={[...figures, ...own]} onValue={(figure) => set({ figure })} />
      {form.figure !== "count" && own.length === 0 && <Input compact mono aria-label="Of which field" className="logs-short" list={list} placeholder="duration" value={form.field} onChange={(event) => set({ field: event.target.value })} autoComplete="off" spellCheck={false} />}
    </>
  );
}

const verbs: Record<AlertAction["type"], string> = { mail: "by mail", slack: "in Slack", webhook: "by webhook", github: "as an issue at GitHub" };

function Actions({ form, set, targets }: PartProps & { targets: AlertTargets }) {
  const change = (at: number, action: AlertAction) => set({ actions: form.actions.map((one, index) => (index === at ? action : one)) });
  const options = (current: AlertAction) => [
    ...targets.channels.map(({ id, kind, name, summary, enabled }) => ({ value: id, label: `${name} ${verbs[kind]}${summary && summary !== name ? ` (${summary})` : ""}${enabled ? "" : ", switched off"}` })),
    ...(targets.channels.some(({ id }) => id === current.target) ? [] : [{ value: current.target, label: "a channel that is gone" }]),
  ];
  const choose = (at: number, value: string) => {
    const channel = targets.channels.find(({ id }) => id === value);
    if (channel) change(at, { type: channel.kind, target: channel.id });
  };
  const spare = targets.channels.find(({ id }) => !form.actions.some(({ target }) => target === id));
  return (
    <div className="grid gap-2 min-w-0 w-full">
      {form.actions.map((action, at) => (
        <span key={at} className="line flex-wrap">
          <Select compact aria-label={`Whom, ${at + 1}`} value={action.target} options={options(action)} onValue={(value) => choose(at, value)} />
          <IconButton size="small" icon={X} label={`Tell one less, ${at + 1}`} onClick={() => set({ actions: form.actions.filter((_, index) => index !== at) })} />
        </span>
      ))}
      <span className="line">
        {spare && (
          <Button size="small" icon={Plus} onClick={() => set({ actions: [...form.actions, { type: spare.kind, target: spare.id }] })}>
            {form.actions.length === 0 ? "Tell somebody" : "And also"}
          </Button>
        )}
        {form.actions.length === 0 && <span className="muted">nobody; it is shown here alone</span>}
      </span>
    </div>
  );
}
