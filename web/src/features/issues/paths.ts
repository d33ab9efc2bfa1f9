const part = encodeURIComponent;

/** Addresses of the pages of issues. */
export const issuesPath = (team: string) => `/teams/${part(team)}/issues`;
export const issuePath = (team: string, issue: number) => `${issuesPath(team)}/${issue}`;
export const eventPath = (team: string, issue: number, event: string) => `${issuePath(team, issue)}/events/${part(event)}`;
export const projectPath = (team: string, project: string) => `${issuesPath(team)}/projects/${part(project)}`;
export const setupPath = (team: string, project: string) => `${projectPath(team, project)}/setup`;
export const keysPath = (team: string, project: string) => `${projectPath(team, project)}/keys`;
export const intakePath = (team: string, project: string) => `${projectPath(team, project)}/intake`;
export const settingsPath = (team: string, project: string) => `${projectPath(team, project)}/settings`;
export const releasesPath = (team: string) => `${issuesPath(team)}/releases`;
export const releasePath = (team: string, release: number) => `${releasesPath(team)}/${release}`;
export const monitorsPath = (team: string) => `${issuesPath(team)}/monitors`;
export const monitorPath = (team: string, monitor: number) => `${monitorsPath(team)}/${monitor}`;
export const alertsPath = (team: string) => `${issuesPath(team)}/alerts`;
export const newAlertPath = (team: string) => `${alertsPath(team)}/new`;
export const alertPath = (team: string, alert: number) => `${alertsPath(team)}/${alert}`;
export const groupingPath = (team: string, project: string) => `${projectPath(team, project)}/grouping`;
export const privacyPath = (team: string, project: string) => `${projectPath(team, project)}/privacy`;
