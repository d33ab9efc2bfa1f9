import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Textarea } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import type { Approval } from "./queries";
import { consequence, decided, title } from "./words";

export type Deciding = { approval: Approval; approve: boolean };

/** Asks for the reason before a build goes on or fails. */
export function DecideDialog({ deciding, onClose }: { deciding: Deciding | null; onClose: () => void }) {
  const one = deciding?.approval;
  const asked = one ? `${deciding.approve ? "Approve" : "Reject"} ${one.fork ? "" : `${one.name} for `}${title(one)}?` : "";
  return (
    <Dialog open={deciding !== null} onClose={onClose} title={asked} description={one && consequence(one, deciding.approve)}>
      {deciding && <DecideForm deciding={deciding} onClose={onClose} />}
    </Dialog>
  );
}

function DecideForm({ deciding: { approval, approve }, onClose }: { deciding: Deciding; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const client = useQueryClient();
  const toast = useToast();
  const task = useTask({
    run: () => {
      const options = { params: { path: { id: approval.id } }, body: { reason: reason.trim() } };
      return approve ? data(api.POST("/api/v1/ci/approvals/{id}/approve", options)) : data(api.POST("/api/v1/ci/approvals/{id}/reject", options));
    },
    onDone: () => {
      void client.invalidateQueries({ queryKey: ["ci", "approvals"] });
      toast({ text: decided(approval, approve) });
      onClose();
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const missing = approval.reason_required && !reason.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!missing) void task.start();
  };
  return (
    <form className="grid gap-3" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Reason" hint={approval.reason_required ? "Required here; it is kept with the build" : approval.fork ? "Kept with the decision" : "Kept with the build"} error={problem?.field("reason")}>
        <Textarea value={reason} onChange={(event) => setReason(event.target.value)} rows={3} autoFocus />
      </Field>
      <DialogButtons>
        <Button kind={approve ? "primary" : "danger"} type="submit" busy={task.busy} disabled={missing}>
          {approve ? "Approve" : "Reject"}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}
