/** A question from a terminal. */
export const askCommand = (url: string, team: string) => `SIGNALBOX_URL=${url} SIGNALBOX_TOKEN=sbx_… signalbox ask --team ${team} "Which builds are failing?"`;

/** Gives an MCP client the tools of this server. */
export const mcpCommand = (url: string) => `claude mcp add --transport http signalbox ${url}/mcp --header "Authorization: Bearer sbx_…"`;
