import type { Alert, AlertAction, AlertCondition, AlertDelivery, AlertDraft, AlertTargets } from "./queries";

export type ConditionType = AlertCondition["type"];
export type Outcome = "missed" | "late" | "failed";

/** A rule while it is being written: numbers are text until they are sent. */
export type Form = {
  name: string;
  /** 0 for all projects. */
  project: number;
  type: ConditionType;
  count: string;
  minutes: number;
  percent: string;
  factor: string;
  outcomes: Outcome[];
  environment: string;
  query: string;
  actions: AlertAction[];
  throttle: number;
};

export const conditions: { value: ConditionType; label: string }[] = [
  { value: "new", label: "an error is new" },
  { value: "regressed", label: "a resolved error comes back" },
  { value: "events", label: "an error happens often" },
  { value: "users", label: "an error hits many users" },
  { value: "spike", label: "a project has more errors than usual" },
  { value: "crash_free", label: "too many sessions crash" },
  { value: "monitor", label: "a monitor does not do well" },
];

/** Which numbers a condition has, with what they usually are. */
export const numbers: Record<ConditionType, Partial<Pick<Form, "count" | "minutes" | "percent" | "factor">>> = {
  new: {},
  regressed: {},
  events: { count: "100", minutes: 60 },
  users: { count: "10", minutes: 60 },
  spike: { factor: "3", count: "10", minutes: 60 },
  crash_free: { percent: "99", count: "50", minutes: 60 },
  monitor: {},
};

/** Only rules about single issues can be narrowed by a search, or open an issue at GitHub. */
export const aboutIssues = (type: ConditionType) => type === "new" || type === "regressed" || type === "events" || type === "users";

/** What goes on holding is told again and again unless it waits; what happens once may be told every time. */
export const once = (type: ConditionType) => type === "new" || type === "regressed";

export const outcomes: { value: Outcome; label: string }[] = [
  { value: "missed", label: "is missed" },
  { value: "late", label: "is late" },
  { value: "failed", label: "fails" },
];

const spanNames: Record<number, string> = { 1: "minute", 60: "hour", 1440: "day", 10080: "week" };

/** "1 hour", "15 minutes", "2 days". */
export function span(minutes: number): string {
  for (const unit of [10080, 1440, 60]) {
    if (minutes >= unit && minutes % unit === 0) return minutes === unit ? `1 ${spanNames[unit]}` : `${minutes / unit} ${spanNames[unit]}s`;
  }
  return `${minutes} minute${minutes === 1 ? "" : "s"}`;
}

/** Choices of spans, with one that is set already though it is not usual. */
export function spans(usual: number[], set: number, words: (minutes: number) => string = span): { value: string; label: string }[] {
  const all = usual.includes(set) ? usual : [...usual, set].sort((a, b) => a - b);
  return all.map((minutes) => ({ value: String(minutes), label: words(minutes) }));
}

export const windows = (type: ConditionType): number[] => (type === "spike" ? [15, 60, 180, 1440] : type === "crash_free" ? [60, 360, 1440, 10080] : [5, 15, 60, 360, 1440, 10080]);
export const throttles = [5, 10, 30, 60, 360, 1440, 10080];

export function throttleWords(minutes: number): string {
  if (minutes === 0) return "every time";
  return spanNames[minutes] ? `once a${minutes === 60 ? "n" : ""} ${spanNames[minutes]}` : `every ${span(minutes)}`;
}

/** The form of a rule, or that of a new one, which tells the first channel. */
export function begin(alert: Alert | undefined, targets: AlertTargets): Form {
  const first = targets.channels.find(({ enabled }) => enabled) ?? targets.channels[0];
  if (!alert) {
    return { name: "", project: 0, type: "new", count: "", minutes: 60, percent: "99", factor: "3", outcomes: ["missed", "late", "failed"], environment: "", query: "", actions: first ? [{ type: first.kind, target: first.id }] : [], throttle: 60 };
  }
  const { condition } = alert;
  return {
    name: alert.name,
    project: alert.project?.id ?? 0,
    type: condition.type,
    count: condition.count ? String(condition.count) : "",
    minutes: condition.minutes ?? 60,
    percent: String(condition.percent ?? 99),
    factor: String(condition.factor ?? 3),
    outcomes: condition.outcomes?.length ? condition.outcomes : ["missed", "late", "failed"],
    environment: alert.environment,
    query: alert.query,
    actions: alert.actions.map(({ type, target }) => ({ type, target })),
    throttle: alert.throttle_minutes,
  };
}

/** Another condition brings its usual numbers, and leaves out what it cannot have. */
export function withType(form: Form, type: ConditionType): Form {
  const single = aboutIssues(type);
  return { ...form, type, ...numbers[type], query: single ? form.query : "", actions: single ? form.actions : form.actions.filter((action) => action.type !== "github_issue"), throttle: once(type) || form.throttle >= 5 ? form.throttle : 60 };
}

/** What the server is asked or told, without what the condition does not need. */
export function draftOf(form: Form, team: string): AlertDraft {
  const needs = numbers[form.type];
  const condition: AlertCondition = { type: form.type };
  if (needs.count !== undefined) condition.count = Math.round(Number(form.count)) || 0;
  if (needs.minutes !== undefined) condition.minutes = form.minutes;
  if (needs.percent !== undefined) condition.percent = Number(form.percent) || 0;
  if (needs.factor !== undefined) condition.factor = Number(form.factor) || 0;
  if (form.type === "monitor" && form.outcomes.length < outcomes.length) condition.outcomes = form.outcomes;
  return {
    team,
    name: form.name.trim(),
    project: form.project,
    condition,
    environment: form.environment.trim(),
    query: aboutIssues(form.type) ? form.query.trim() : "",
    actions: form.actions.filter(({ target }) => target.trim()),
    throttle_minutes: form.throttle,
  };
}

/** A name for a rule that nobody named: its sentence, as long as names may be. */
export function nameOf(form: Form, sentence: string): string {
  const own = form.name.trim();
  if (own) return own;
  const plain = sentence.replace(/\.$/, "");
  return plain.length > 100 ? `${plain.slice(0, 99)}…` : plain;
}

/** How a message fared. */
export function deliveryGlyph({ state }: Pick<AlertDelivery, "state">): "succeeded" | "failed" | "running" | "skipped" {
  return ({ sent: "succeeded", failed: "failed", waiting: "running", skipped: "skipped", forgotten: "skipped" } as const)[state];
}

export const deliveryWord = ({ state }: Pick<AlertDelivery, "state">): string => ({ sent: "sent", failed: "failed", waiting: "on its way", skipped: "left out", forgotten: "no longer known" })[state];

/** The names of the last seven days, today last. */
export function dayNames(now: number): string[] {
  return Array.from({ length: 7 }, (_, at) => (at === 6 ? "today" : new Date(now - (6 - at) * 86_400_000).toLocaleDateString("en-GB", { weekday: "short", timeZone: "UTC" })));
}

/** The path of a link of ours, when it leads to this very server. */
export function ownPath(url: string, origin: string): string | undefined {
  try {
    const parsed = new URL(url, origin);
    return parsed.origin === new URL(origin).origin || parsed.pathname.startsWith("/teams/") ? parsed.pathname + parsed.search : undefined;
  } catch {
    return undefined;
  }
}
