import { assistantPath } from "../paths";

/** Where a team's calls wait for a person. */
export const approvalsPath = (team: string) => `${assistantPath(team)}/approvals`;
export const approvalPath = (team: string, id: string) => `${approvalsPath(team)}/${encodeURIComponent(id)}`;
