import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Button } from "@/ui/Button";
import { Facts } from "@/ui/facts";
import { RelativeTime } from "@/ui/RelativeTime";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { useOperatorRefusal } from "../acts";
import type { Deciding } from "../approvals/DecideDialog";
import { type Approval, approvalsQuery } from "../approvals/queries";
import { type Build, buildQuery } from "../queries";

const DecideDialog = lazy(async () => ({ default: (await import("../approvals/DecideDialog")).DecideDialog }));

/** The questions that a running build waits with, to be answered where they are read. */
export function ApprovalCard({ build }: { build: Build }) {
  const { data: waiting } = useQuery(approvalsQuery(build.team, "waiting"));
  const [deciding, setDeciding] = useState<Deciding | null>(null);
  const client = useQueryClient();
  const role = useOperatorRefusal(build.team);
  const asked = waiting?.items.filter((one) => !one.fork && one.build.id === build.id) ?? [];
  const close = () => {
    setDeciding(null);
    void client.invalidateQueries({ queryKey: buildQuery(build.id).queryKey });
  };
  return (
    <>
      {asked.map((approval) => (
        <Question key={approval.id} approval={approval} role={role} onDecide={(approve) => setDeciding({ approval, approve })} />
      ))}
      {deciding && (
        <Suspense>
          <DecideDialog deciding={deciding} onClose={close} />
        </Suspense>
      )}
    </>
  );
}

type QuestionProps = { approval: Approval; role: string | false; onDecide: (approve: boolean) => void };

function Question({ approval, role, onDecide }: QuestionProps) {
  const refused = role || approval.refusal || false;
  return (
    <section className="why asks" aria-label={`${approval.name} waits for approval`}>
      <header className="line">
        <StatusGlyph status="paused" />
        <b className="clip">{approval.name} waits for approval</b>
      </header>
      <Facts
        items={[
          ["By", approval.approvers.join(", ") || "whoever may run jobs"],
          ["Runs out", <RelativeTime key="until" at={approval.expires_at} />],
        ]}
      />
      {refused && <p className="muted">{refused}</p>}
      <div className="line">
        <Button size="small" kind="primary" icon={Check} refused={refused} onClick={() => onDecide(true)}>
          Approve
        </Button>
        <Button size="small" kind="danger" icon={X} refused={role} onClick={() => onDecide(false)}>
          Reject
        </Button>
      </div>
    </section>
  );
}
