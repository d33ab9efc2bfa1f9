/** Lines that make `sentry-cli` speak to this server. */
export const cliSettings = (url: string, team: string, project: string) => `export SENTRY_URL=${url}\nexport SENTRY_ORG=${team}\nexport SENTRY_PROJECT=${project}\nexport SENTRY_AUTH_TOKEN=sbx_…`;

/** Makes a release with its commits, and says that it is out. */
export const releaseCommands = (url: string, team: string, project: string) =>
  `${cliSettings(url, team, project)}\n\nVERSION=$(sentry-cli releases propose-version)\nsentry-cli releases new "$VERSION"\nsentry-cli releases set-commits "$VERSION" --local\nsentry-cli releases finalize "$VERSION"`;

const quoted = (text: string) => `"${text.replace(/(["\\$`])/g, "\\$1")}"`;

export const commitsCommand = (version: string) => `sentry-cli releases set-commits ${quoted(version)} --local`;
export const deployCommand = (version: string) => `sentry-cli deploys new --release ${quoted(version)} --env prod`;
export const mapsCommand = (version: string) => `sentry-cli sourcemaps inject ./dist\nsentry-cli sourcemaps upload --release ${quoted(version)} ./dist`;
