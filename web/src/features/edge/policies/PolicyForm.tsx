import type { ReactNode } from "react";
import { Field, Input, Select } from "@/ui/Field";
import { type Form, fresh } from "./form";

type Props = { form: Form; bundles: { id: string }[]; onForm: (form: Form) => void };

/** Writes a policy by asking: what, to whom, how fast, when. The text beside it says the same. */
export function PolicyForm({ form, bundles, onForm }: Props) {
  const { bundle } = form;
  const known = bundles.some(({ id }) => id === bundle);
  const ask = (key: keyof Form, label: string, hint: ReactNode, placeholder = "") => (
    <Field label={label} hint={hint}>
      <Input value={form[key]} placeholder={placeholder} spellCheck={false} onChange={({ target }) => onForm({ ...form, [key]: target.value })} />
    </Field>
  );
  return (
    <div className="edge-form" aria-label="Form" role="group">
      {ask("name", "Name", "Of the policy.")}
      <Field label="Bundle" hint={bundles.length === 0 ? "None is published yet." : "The newest first."}>
        <Select value={bundle} onValue={(next) => onForm({ ...form, bundle: next })} options={[...(known ? [] : [{ value: bundle, label: bundle }]), ...bundles.map(({ id }) => ({ value: id, label: id }))]} />
      </Field>
      {ask("labels", "Nodes with the labels", "role=edge-node region=us-east; none: all.")}
      {ask("canary", "Canaries first", "How many; empty: none.", "12")}
      {ask("soak", "Watched for", "Such as 2h or 24h.")}
      {ask("batch", "Then in batches of", "Nodes, or 5%.")}
      {ask("delay", "Minutes between batches", "")}
      {ask("rate", "Pause when more fail than", "Of those that ended.")}
      {ask("health", "Healthy when this answers", "On the node itself; it goes back by itself if not.", "http://127.0.0.1:8080/health")}
      {ask("window", "Only at", "Tue 02:00-04:00; empty: any time.", fresh("").window)}
      {ask("timezone", "In the time zone", "UTC, Europe/Oslo, or node.")}
      {ask("approvals", "People who must approve", "0: nobody; who begins it does not count.")}
    </div>
  );
}
