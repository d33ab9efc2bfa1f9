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
