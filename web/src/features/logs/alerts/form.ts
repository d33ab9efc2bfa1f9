import { named, pipeAt } from "../explore/terms";
import type { Alert, AlertAction, AlertCondition, AlertDelivery, AlertDraft, AlertTargets } from "./queries";

export type Kind = AlertCondition["kind"];
export type Op = NonNullable<AlertCondition["op"]>;

/** An alert while it is being written: numbers are text until they are sent. */
export type Form = {
  name: string;
  kind: Kind;
  query: string;
  minutes: number;
  /** A function of stats, or a whole figure that is none of those that are offered. */
  figure: string;
  field: string;
  by: string;
  op: Op;
  value: string;
  over: string;
  least: string;
  days: number;
  actions: AlertAction[];
  throttle: number;
  remind: number;
  resolve: boolean;
};

export const kinds: { value: Kind; label: string }[] = [
  { value: "threshold", label: "there are too many or too few lines" },
  { value: "absence", label: "no line comes" },
  { value: "pattern", label: "a message is of a new kind" },
  { value: "ratio", label: "too large a share of lines" },
];

/** Figures of lines; all but the first are of a field. */
export const figures: { value: string; label: string }[] = [
  { value: "count", label: "the number of lines" },
  { value: "count_uniq", label: "the number of different" },
  { value: "sum", label: "the sum of" },
  { value: "avg", label: "the mean of" },
  { value: "median", label: "the median of" },
  { value: "p90", label: "the 90th percentile of" },
  { value: "p95", label: "the 95th percentile of" },
  { value: "p99", label: "the 99th percentile of" },
  { value: "max", label: "the largest" },
  { value: "min", label: "the least" },
];

export const ops: { value: Op; label: string }[] = [
  { value: ">", label: "more than" },
  { value: ">=", label: "at least" },
  { value: "<", label: "less than" },
  { value: "<=", label: "at most" },
];

const spanNames: Record<number, string> = { 1: "minute", 60: "hour", 1440: "day" };

/** "1 hour", "15 minutes", "2 days". */
export function span(minutes: number): string {
  for (const unit of [1440, 60]) {
    if (minutes >= unit && minutes % unit === 0) return minutes === unit ? `1 ${spanNames[unit]}` : `${minutes / unit} ${spanNames[unit]}s`;
  }
  return `${minutes} minute${minutes === 1 ? "" : "s"}`;
}

/** Choices of spans, with one that is set already though it is not usual. */
export function spans(usual: number[], set: number, words: (minutes: number) => string = span): { value: string; label: string }[] {
  const all = usual.includes(set) ? usual : [...usual, set].sort((a, b) => a - b);
  return all.map((minutes) => ({ value: String(minutes), label: words(minutes) }));
}

export const windows = [1, 5, 10, 15, 30, 60, 180, 360, 720, 1440, 10080];
export const throttles = [0, 5, 10, 30, 60, 360, 1440];
export const reminders = [0, 30, 60, 180, 720, 1440];
export const memories = [1, 3, 7, 14, 30, 90];

/** "each time", "once an hour", "every 10 minutes". */
export function throttleWords(minutes: number): string {
  if (minutes === 0) return "each time";
  return spanNames[minutes] ? `once a${minutes === 60 ? "n" : ""} ${spanNames[minutes]}` : `every ${span(minutes)}`;
}

const none: Omit<Form, "actions"> = { name: "", kind: "threshold", query: "", minutes: 5, figure: "count", field: "", by: "", op: ">", value: "10", over: "", least: "10", days: 7, throttle: 10, remind: 0, resolve: true };

/** A figure such as p95(duration), taken apart. */
export function figureOf(text: string): Pick<Form, "figure" | "field"> {
  const [, call = "", field = ""] = /^(\w+)\((.*)\)$/s.exec(text.trim()) ?? [];
  if (call === "count" && !field.trim()) return { figure: "count", field: "" };
  if (call !== "count" && figures.some(({ value }) => value === call)) return { figure: call, field: field.replace(/^"(.*)"$/s, "$1") };
  return { figure: text.trim() || "count", field: "" };
}

/** A figure as the query language says it. */
export function figureText({ figure, field }: Pick<Form, "figure" | "field">): string {
  if (figure === "count") return "count()";
  return figures.some(({ value }) => value === figure) ? `${figure}(${field.trim() ? named(field.trim()) : ""})` : figure;
}

/** The form of an alert that watches what a search looks for; a figure behind its pipe is watched too. */
export function fromSearch(query: string): Partial<Form> {
  const filter = query.slice(0, pipeAt(query)).trim();
  const pipes = query.slice(filter.length).trim().replace(/^\|\s*/, "");
  const stats = /^stats\s+(\w+\([^()|]*\))(?:\s+as\s+\S+)?(?:\s+by\s*\(([^(),|]+)\))?$/i.exec(pipes);
  if (!stats) return { query: filter };
  return { query: filter, ...figureOf(stats[1] ?? ""), by: (stats[2] ?? "").trim().replace(/^"(.*)"$/, "$1") };
}

/** The form of an alert, or that of a new one, which tells the first channel. */
export function begin(alert: Alert | undefined, targets: AlertTargets): Form {
  const first = targets.channels.find(({ enabled }) => enabled) ?? targets.channels[0];
  if (!alert) return { ...none, actions: first ? [{ type: first.kind, target: first.id }] : [] };
  const { condition } = alert;
  return {
    name: alert.name,
    kind: condition.kind,
    query: condition.query,
    minutes: condition.minutes,
    ...figureOf(condition.figure ?? "count()"),
    by: condition.by ?? "",
    op: condition.op ?? ">",
    value: String(condition.value ?? 0),
    over: condition.over ?? "",
    least: String(condition.least ?? 1),
    days: condition.days ?? 7,
    actions: alert.actions.map(({ type, target }) => ({ type, target })),
    throttle: alert.throttle_minutes,
    remind: alert.remind_minutes,
    resolve: alert.resolve,
  };
}

/** Another kind brings what is usual for it. */
export function withKind(form: Form, kind: Kind): Form {
  const usual: Record<Kind, Partial<Form>> = { threshold: { minutes: 5, op: ">", value: "10" }, absence: { minutes: 15 }, pattern: { minutes: 60 }, ratio: { minutes: 15, op: ">", value: "5" } };
  return { ...form, kind, ...usual[kind] };
}

/** What has to happen, without what the kind does not need. */
export function conditionOf(form: Form): AlertCondition {
  const { kind, query, minutes, op } = form;
  const value = Number(form.value) || 0;
  const by = form.by.trim();
  const base = { kind, query: query.trim(), minutes };
  switch (kind) {
    case "threshold":
      return { ...base, figure: figureText(form), op, value, ...(by ? { by } : {}) };
    case "absence":
      return { ...base, ...(by ? { by } : {}) };
    case "ratio":
      return { ...base, op, value, over: form.over.trim(), least: Math.max(1, Math.round(Number(form.least)) || 1) };
    case "pattern":
      return { ...base, days: form.days };
  }
}

/** An alert as the server keeps it, but for its name. */
export const ruleOf = (form: Form) => ({
  condition: conditionOf(form),
  actions: form.actions,
  throttle_minutes: form.throttle,
  remind_minutes: form.remind,
  resolve: form.resolve,
});

/** What the server is asked about. */
export const draftOf = (form: Form, team: string, days: 1 | 7): AlertDraft => ({ team, days, ...ruleOf(form) });

/** A name for an alert that nobody named: its sentence, as long as names may be. */
export function nameOf(form: Form, sentence: string): string {
  const own = form.name.trim();
  if (own) return own;
  const plain = sentence.replace(/\.$/, "").replace(/^When (.*?), (send|post|call|show) .*$/s, "$1");
  const capital = plain.slice(0, 1).toUpperCase() + plain.slice(1);
  return [...capital].length > 100 ? `${[...capital].slice(0, 99).join("")}…` : capital;
}

/** How an alert stands, as a glyph and as words. */
export function standing({ state, muted_until: muted }: Pick<Alert, "state" | "muted_until">): { status: "paused" | "pending" | "errored" | "failed" | "succeeded"; word: string } {
  switch (state) {
    case "off":
      return { status: "paused", word: "off" };
    case "waiting":
      return { status: "pending", word: "not looked yet" };
    case "error":
      return { status: "errored", word: "its search fails" };
    case "firing":
      return { status: "failed", word: muted ? "firing, muted" : "firing" };
    case "ok":
      return { status: "succeeded", word: muted ? "well, muted" : "well" };
  }
}

const figure = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });

/** A value of a condition as people read it: "1,204", "7.5 %". */
export function valueWords(value: number | null | undefined, kind: Kind): string {
  if (value === null || value === undefined) return "–";
  return kind === "ratio" ? `${figure.format(value)} %` : figure.format(value);
}

/** How a message fared. */
export const deliveryGlyph = ({ state }: Pick<AlertDelivery, "state">) => ({ sent: "succeeded", failed: "failed", waiting: "running", forgotten: "skipped" }) [state] as "succeeded" | "failed" | "running" | "skipped";

const aboutWords: Record<AlertDelivery["about"], string> = { firing: "", reminder: "reminder ", resolved: "that it is over ", test: "" };
const stateWords: Record<AlertDelivery["state"], string> = { sent: "sent", failed: "failed", waiting: "on its way", forgotten: "no longer known" };

export const deliveryWord = ({ about, state }: Pick<AlertDelivery, "about" | "state">): string => `${aboutWords[about]}${stateWords[state]}`;

/** The path of a link of ours. */
export function ownPath(url: string): string | undefined {
  try {
    const { pathname, search } = new URL(url, "http://here");
    return pathname.startsWith("/teams/") ? pathname + search : undefined;
  } catch {
    return undefined;
  }
}
