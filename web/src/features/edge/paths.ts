const part = encodeURIComponent;

/** Addresses of the pages of edge. */
export const fleetPath = (team: string) => `/teams/${part(team)}/edge`;
export const nodePath = (team: string, id: string) => `${fleetPath(team)}/nodes/${part(id)}`;
export const enrolmentPath = (team: string) => `${fleetPath(team)}/enrolment`;
export const rolloutsPath = (team: string) => `${fleetPath(team)}/rollouts`;
export const rolloutPath = (team: string, id: string) => `${rolloutsPath(team)}/${part(id)}`;
export const bundlesPath = (team: string) => `${fleetPath(team)}/bundles`;
export const bundlePath = (team: string, id: string) => `${bundlesPath(team)}/${part(id)}`;
export const policiesPath = (team: string) => `${fleetPath(team)}/policies`;
export const newPolicyPath = (team: string) => `${policiesPath(team)}/new`;
export const policyPath = (team: string, id: string) => `${policiesPath(team)}/${part(id)}`;
export const policySourcesPath = (team: string) => `${policiesPath(team)}/sources`;
export const sitesPath = (team: string) => `${fleetPath(team)}/sites`;
export const freezesPath = (team: string) => `${fleetPath(team)}/freezes`;
export const cvesPath = (team: string) => `${fleetPath(team)}/cves`;
export const keysPath = (team: string) => `${fleetPath(team)}/keys`;
