import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { AssistantContext } from "../AssistantContext";
import { assistantPath } from "../paths";
import { ApprovalCard } from "./ApprovalCard";
import { approvalsPath } from "./paths";
import { approvalQuery } from "./queries";
import { headline, standing } from "./words";

/** One call that waits for a person, with everything about it. */
export function ApprovalPage() {
  const { team, approval: id } = useParams({ strict: false }) as { team: string; approval: string };
  const approval = useSuspenseQuery(approvalQuery(id)).data;
  const { status, word } = standing(approval.state);
  usePage({ title: headline(approval), status, crumbs: [{ label: "Assistant", to: assistantPath(team) }, { label: "Changes it proposes", to: approvalsPath(team) }, { label: approval.title }] });
  return (
    <>
      <AssistantContext team={team} />
      <PageHeader title={approval.title} status={status} meta={word} />
      <div className="pane assistant-approvals">
        <ApprovalCard team={team} approval={approval} whole />
      </div>
    </>
  );
}
