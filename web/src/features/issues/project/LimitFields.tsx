import { Plus, X } from "lucide-react";
import { Button, IconButton } from "@/ui/Button";
import { Input, Select } from "@/ui/Field";
import type { ProjectLimit } from "../queries";

const categories = ["", "error", "transaction", "span", "attachment", "session", "monitor", "log_item", "feedback"].map((value) => ({ value, label: value || "everything" }));
const spans = ["minute", "hour", "month"].map((value) => ({ value, label: `per ${value}` }));

/** How much may come; what is more is refused and counted. */
export function LimitFields({ limits, onChange }: { limits: ProjectLimit[]; onChange: (limits: ProjectLimit[]) => void }) {
  const set = (at: number, change: Partial<ProjectLimit>) => onChange(limits.map((limit, index) => (index === at ? { ...limit, ...change } : limit)));
  return (
    <fieldset className="grid gap-2">
      <legend className="label">Limits</legend>
      {limits.length === 0 && <p className="meta">None: everything is taken.</p>}
      {limits.map((limit, at) => (
        <div key={at} className="line">
          <Input compact type="number" min={1} aria-label={`How many, limit ${at + 1}`} className="max-w-[110px]" value={limit.count} onChange={(event) => set(at, { count: Number(event.target.value) })} />
          <Select compact aria-label={`Of what, limit ${at + 1}`} value={limit.category} options={categories} onValue={(category) => set(at, { category })} />
          <Select compact aria-label={`In what time, limit ${at + 1}`} value={limit.per} options={spans} onValue={(per) => set(at, { per: per as ProjectLimit["per"] })} />
          <IconButton size="small" icon={X} label={`Remove limit ${at + 1}`} onClick={() => onChange(limits.filter((_, index) => index !== at))} />
        </div>
      ))}
      <span>
        <Button size="small" icon={Plus} onClick={() => onChange([...limits, { category: "error", count: 1000, per: "hour" }])}>
          Add a limit
        </Button>
      </span>
    </fieldset>
  );
}
