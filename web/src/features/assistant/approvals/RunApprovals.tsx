import "./approvals.css";
import type { Approval } from "./queries";
import { ApprovalCard } from "./ApprovalCard";

/** What a question has proposed, below its answer. */
export function RunApprovals({ team, approvals }: { team: string; approvals?: Approval[] }) {
  if (!approvals || approvals.length === 0) return null;
  return (
    <section aria-label="Waits for a person" className="grid gap-3">
      {approvals.map((one) => (
        <ApprovalCard key={one.id} team={team} approval={one} />
      ))}
    </section>
  );
}
