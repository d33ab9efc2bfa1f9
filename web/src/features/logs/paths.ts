const part = encodeURIComponent;

/** Addresses of the pages of logs. */
export const logsPath = (team: string) => `/teams/${part(team)}/logs`;
export const sendPath = (team: string) => `${logsPath(team)}/send`;
