const part = encodeURIComponent;

/** Addresses of the pages of notifications. */
export const notificationsPath = (team: string) => `/teams/${part(team)}/notifications`;
export const channelsPath = (team: string) => `${notificationsPath(team)}/channels`;
export const rulesPath = (team: string) => `${notificationsPath(team)}/rules`;
export const historyPath = (team: string) => `${notificationsPath(team)}/history`;
