const part = encodeURIComponent;

/** Addresses of the pages of the assistant. */
export const assistantPath = (team: string) => `/teams/${part(team)}/assistant`;
export const runPath = (team: string, id: string) => `${assistantPath(team)}/runs/${part(id)}`;
export const runsPath = (team: string) => `${assistantPath(team)}/runs`;
export const settingsPath = (team: string) => `${assistantPath(team)}/settings`;
