const part = encodeURIComponent;

/** Where the demo tells its story. */
export const storyPath = (team: string) => `/teams/${part(team)}/story`;
