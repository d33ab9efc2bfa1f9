const part = encodeURIComponent;

/** Addresses of the pages of logs. */
export const logsPath = (team: string) => `/teams/${part(team)}/logs`;
export const sendPath = (team: string) => `${logsPath(team)}/send`;
export const maskingPath = (team: string) => `${logsPath(team)}/masking`;
export const limitsPath = (team: string) => `${logsPath(team)}/limits`;
export const alertsPath = (team: string) => `${logsPath(team)}/alerts`;
export const newAlertPath = (team: string) => `${alertsPath(team)}/new`;
export const alertPath = (team: string, id: string) => `${alertsPath(team)}/${part(id)}`;
export const linkPath = (team: string, id: string) => `${logsPath(team)}/links/${part(id)}`;
