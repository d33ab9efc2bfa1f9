import { assistantPath } from "../paths";

/** Where a team's outside MCP servers are kept. */
export const serversPath = (team: string) => `${assistantPath(team)}/servers`;
