/** What stands where the token will be. */
export const noToken = "YOUR_TOKEN";

/** Puts the agent on a machine and makes it a node: this server hands out the script and the program. */
export const installLine = (url: string, token: string) => `curl -fsSL ${url}/edge/v1/install.sh | sudo sh -s -- --token ${token}`;

/** The same where the server has no program to hand out: script and program lie beside each other in a release. */
export const installCommand = (url: string, token: string) => `sudo ./install-agent.sh ./signalbox-agent --url ${url} --token ${token}`;

/** For a machine on which the agent is already. */
export const enrolCommand = (url: string, token: string) => `sudo signalbox-agent enroll --url ${url} --token ${token}`;

/** Labels as they are typed: "role=edge-node, region=us-east". What has no = is a mistake and named. */
export function labelsOf(typed: string): { labels: Record<string, string>; wrong?: string } {
  const labels: Record<string, string> = {};
  for (const pair of typed.split(/[,\s]+/).filter(Boolean)) {
    const at = pair.indexOf("=");
    if (at < 1) return { labels, wrong: pair };
    labels[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return { labels };
}

export const labelsText = (labels: Record<string, string>) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
