import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Select } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { rolloutPath } from "../paths";
import { DryRunShown } from "../policies/DryRunShown";
import { dryRunQuery, type PolicyItem } from "../policies/queries";

type Props = { team: string; policies: PolicyItem[]; policy?: string; onClose: () => void };

/** Choose a policy, see whom it reaches, say why, and begin. */
export function StartRollout({ team, policies, policy, onClose }: Props) {
  const [chosen, setChosen] = useState(policy ?? policies[0]?.id ?? "");
  const [reason, setReason] = useState("");
  const refused = refusal(useSession(), team, "member");
  const navigate = useNavigate();
  const { data: dry, error } = useQuery(dryRunQuery(team, { policy: chosen }));
  const start = useTask({
    run: () => data(api.POST("/api/v1/edge/rollouts", { body: { team, policy: chosen, reason } })),
    onDone: ({ id }) => {
      onClose();
      void navigate({ to: rolloutPath(team, id) });
    },
  });
  const problem = start.error ? asProblem(start.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (dry?.ok && !refused) void start.start();
  };
  return (
    <Dialog open onClose={onClose} title="New rollout" description="What it would do as its policy and the fleet stand now. Nothing happens until you begin." className="wide" onSubmit={submit}>
      {problem && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Policy">
        <Select value={chosen} onValue={setChosen} options={policies.map(({ id, name, bundle }) => ({ value: id, label: `${name}: ${bundle}` }))} />
      </Field>
      {error && <Notice kind="bad">{asProblem(error).message}</Notice>}
      {dry && <DryRunShown dry={dry} />}
      <Field label="Why" hint="Stands in the history of the rollout.">
        <Input value={reason} onChange={({ target }) => setReason(target.value)} />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={start.busy} refused={refused || (!dry?.ok && "It cannot begin as it stands.")}>
          {dry ? `Begin with ${plural(dry.total, "node")}` : "Begin"}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}
