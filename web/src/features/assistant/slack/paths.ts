import { assistantPath } from "../paths";

/** Where a team's Slack is set up, and where a person is linked. */
export const slackPath = (team: string) => `${assistantPath(team)}/slack`;
export const linkPath = "/link-slack";
