import { Plus, X } from "lucide-react";
import { Button, IconButton } from "@/ui/Button";
import { Field, Input, Select, Tick } from "@/ui/Field";
import type { Manner, Span } from "./queries";
import { adminEvents, days, events, ruleEvents } from "./words";

/** What a new channel is offered: a storm of the same becomes one letter, and nothing else is held. */
export const suggestedManner: Manner = { group_minutes: 5, limit: 0, limit_minutes: 10, quiet: { zone: "", spans: [], pass: [] } };

/** Without what says nothing: the minutes of no limit, and what passes quiet hours that there are not. */
export function plainManner(manner: Manner): Manner {
  const quiet = manner.quiet.spans.length > 0 ? manner.quiet : { zone: "", spans: [], pass: [] };
  return { ...manner, limit_minutes: manner.limit > 0 ? Math.max(1, manner.limit_minutes) : 0, quiet };
}

const groups = [0, 1, 5, 10, 30, 60, 240, 1440];
const withins = [1, 5, 10, 30, 60, 240, 1440];
const words = (n: number) => (n >= 1440 ? "a day" : n >= 60 ? (n === 60 ? "an hour" : `${n / 60} hours`) : n === 1 ? "a minute" : `${n} minutes`);
const choices = (list: number[], now: number) => [...new Set([...list, now])].toSorted((a, b) => a - b).map((n) => ({ value: String(n), label: words(n) }));

type Props = { manner: Manner; events: string[]; onChange: (manner: Manner) => void; problem?: { field: (name: string) => string | undefined } };

/** How often and when a channel tells. Nothing of it loses a message: what waits goes as one letter. */
export function MannerFields({ manner, events: chosen, onChange, problem }: Props) {
  const set = (change: Partial<Manner>) => onChange({ ...manner, ...change });
  return (
    <fieldset className="field">
      <legend className="label strong">How often</legend>
      <div className="grid gap-3 pt-1">
        <Field label="More of the same" hint="After a letter, further ones of the same rule about the same thing wait, and go as one: “12 more of the same”" error={problem?.field("manner.group_minutes")}>
          <Select value={String(manner.group_minutes)} options={choices(groups, manner.group_minutes).map((one) => (one.value === "0" ? { value: "0", label: "each at once" } : { ...one, label: `together, every ${one.label.replace(/^an? /, "")}` }))} onValue={(value) => set({ group_minutes: Number(value) })} />
        </Field>
        <Tick checked={manner.limit > 0} onChange={({ target: { checked } }) => set({ limit: checked ? 5 : 0, limit_minutes: manner.limit_minutes || 10 })}>
          A limit <span className="muted">what is beyond it goes as one summary</span>
        </Tick>
        {manner.limit > 0 && (
          <div className="notify-span pl-6">
            <span>At most</span>
            <Input className="notify-number" aria-label="Letters at most" type="number" min={1} max={100} value={manner.limit} onChange={({ target: { value } }) => set({ limit: Math.min(100, Math.max(1, Number(value) || 1)) })} />
            <span>within</span>
            <Select aria-label="Within" value={String(manner.limit_minutes || 10)} options={choices(withins, manner.limit_minutes || 10)} onValue={(value) => set({ limit_minutes: Number(value) })} />
          </div>
        )}
        <Quiet manner={manner} chosen={chosen} onChange={onChange} problem={problem} />
      </div>
    </fieldset>
  );
}

const night: Span = { days: [], from: "22:00", to: "07:00" };

function Quiet({ manner, chosen, onChange, problem }: { manner: Manner; chosen: string[]; onChange: (manner: Manner) => void; problem: Props["problem"] }) {
  const { quiet } = manner;
  const set = (change: Partial<Manner["quiet"]>) => onChange({ ...manner, quiet: { ...quiet, ...change } });
  const replace = (at: number, change: Partial<Span>) => set({ spans: quiet.spans.map((span, i) => (i === at ? { ...span, ...change } : span)) });
  const offered = [...[...events, ...adminEvents].filter(({ event }) => chosen.includes(event)), ...ruleEvents];
  const wrong = problem?.field("manner.quiet.spans") ?? problem?.field("manner.quiet.zone") ?? problem?.field("manner.quiet.pass");
  return (
    <>
      <Tick checked={quiet.spans.length > 0} onChange={({ target: { checked } }) => set(checked ? { spans: [night], zone: quiet.zone || here() } : { spans: [] })}>
        Quiet hours <span className="muted">messages are held until they end, and sent as one summary</span>
      </Tick>
      {quiet.spans.length > 0 && (
        <div className="grid gap-3 pl-6">
          {quiet.spans.map((span, at) => (
            <SpanFields key={at} span={span} name={quiet.spans.length > 1 ? ` ${at + 1}` : ""} onChange={(change) => replace(at, change)} onRemove={quiet.spans.length > 1 ? () => set({ spans: quiet.spans.filter((_, i) => i !== at) }) : undefined} />
          ))}
          {quiet.spans.length < 7 && (
            <div>
              <Button size="small" icon={Plus} onClick={() => set({ spans: [...quiet.spans, { days: ["sat", "sun"], from: "00:00", to: "00:00" }] })}>
                Further hours
              </Button>
            </div>
          )}
          {wrong && <p className="hint bad">{wrong}</p>}
          <Field label="Time zone">
            <Select value={quiet.zone} options={zones(quiet.zone).map((zone) => ({ value: zone, label: zone || "UTC" }))} onValue={(zone) => set({ zone })} />
          </Field>
          <fieldset className="field">
            <legend className="label">These may pass</legend>
            <div className="grid gap-2 pt-1">
              {offered.map(({ event, word }) => (
                <Tick key={event} checked={quiet.pass.includes(event)} onChange={({ target: { checked } }) => set({ pass: checked ? [...quiet.pass, event] : quiet.pass.filter((one) => one !== event) })}>
                  {word}
                </Tick>
              ))}
            </div>
          </fieldset>
        </div>
      )}
    </>
  );
}

type SpanProps = { span: Span; name: string; onChange: (change: Partial<Span>) => void; onRemove?: () => void };

function SpanFields({ span, name, onChange, onRemove }: SpanProps) {
  const all = span.days.length === 0;
  return (
    <div className="grid gap-2">
      <div className="notify-span">
        <span>From</span>
        <Input aria-label={`Quiet from${name}`} type="time" required value={span.from} onChange={({ target: { value } }) => value && onChange({ from: value })} />
        <span>to</span>
        <Input aria-label={`Quiet to${name}`} type="time" required value={span.to} onChange={({ target: { value } }) => value && onChange({ to: value })} />
        {span.from >= span.to && <span className="meta">on the next day</span>}
        {onRemove && <IconButton size="small" icon={X} label={`Remove these hours${name}`} onClick={onRemove} />}
      </div>
      <div className="notify-days" role="group" aria-label={`Days on which they begin${name}`}>
        {days.map(({ day, word }) => (
          <Tick key={day} checked={all || span.days.includes(day)} onChange={({ target: { checked } }) => onChange({ days: chosenDays(span.days, day, checked) })}>
            {word}
          </Tick>
        ))}
      </div>
    </div>
  );
}

/** All days are none in particular; the last day stays. */
function chosenDays(before: Span["days"], day: Span["days"][number], checked: boolean): Span["days"] {
  const every = days.map((one) => one.day);
  const now = (before.length === 0 ? every : before).filter((one) => one !== day || checked);
  const next = every.filter((one) => now.includes(one) || (one === day && checked));
  return next.length === 7 ? [] : next.length === 0 ? before : next;
}

const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** UTC, that of the reader, and all that the browser knows. */
function zones(now: string): string[] {
  return [...new Set(["", now, here(), ...Intl.supportedValuesOf("timeZone")])].filter((zone) => zone !== "UTC");
}
