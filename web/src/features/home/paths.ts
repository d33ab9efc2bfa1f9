const part = encodeURIComponent;

/** Addresses of the pages that join the capabilities. */
export const homePath = (team: string) => `/teams/${part(team)}`;
export const timelinePath = (team: string) => `${homePath(team)}/timeline`;
export const servicesPath = (team: string) => `${homePath(team)}/services`;
export const servicePath = (team: string, service: string) => `${servicesPath(team)}/${part(service)}`;
