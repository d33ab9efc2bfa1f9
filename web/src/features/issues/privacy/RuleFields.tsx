import { Plus, X } from "lucide-react";
import { Button, IconButton } from "@/ui/Button";
import { Input, Select } from "@/ui/Field";
import { ruleWords } from "./change";
import type { ScrubRule } from "./queries";

const kinds = [
  { value: "key", label: "what is called" },
  { value: "pattern", label: "texts like" },
  { value: "path", label: "what is at" },
];
const actions = [
  { value: "mask", label: "leave [Filtered]" },
  { value: "remove", label: "leave nothing" },
  { value: "hash", label: "leave a hash" },
];
const examples: Record<ScrubRule["kind"], string> = { key: "iban", pattern: "\\+\\d[\\d ]{7,}", path: "request.data.notes" };

type Props = { rules: ScrubRule[]; onChange: (rules: ScrubRule[]) => void };

/** A project's own rules, each a sentence of three parts. */
export function RuleFields({ rules, onChange }: Props) {
  const set = (at: number, change: Partial<ScrubRule>) => onChange(rules.map((rule, index) => (index === at ? { ...rule, ...change } : rule)));
  return (
    <fieldset className="grid gap-2">
      <legend className="sr">Rules</legend>
      {rules.length === 0 && <p className="meta">No rules of its own yet.</p>}
      {rules.map((rule, at) => (
        <div key={at} className="issues-rule" role="group" aria-label={ruleWords(rule)}>
          <Select compact aria-label={`What, rule ${at + 1}`} value={rule.kind} options={kinds} onValue={(kind) => set(at, { kind: kind as ScrubRule["kind"] })} />
          <Input compact mono aria-label={`Name, pattern or path, rule ${at + 1}`} placeholder={examples[rule.kind]} value={rule.value} onChange={(event) => set(at, { value: event.target.value })} autoComplete="off" spellCheck={false} />
          <Select compact aria-label={`What stays, rule ${at + 1}`} value={rule.action} options={actions} onValue={(action) => set(at, { action: action as ScrubRule["action"] })} />
          <IconButton size="small" icon={X} label={`Remove rule ${at + 1}`} onClick={() => onChange(rules.filter((_, index) => index !== at))} />
        </div>
      ))}
      <span>
        <Button size="small" icon={Plus} onClick={() => onChange([...rules, { kind: "key", value: "", action: "mask" }])}>
          Add a rule
        </Button>
      </span>
    </fieldset>
  );
}
