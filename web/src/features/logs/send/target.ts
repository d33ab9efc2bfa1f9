/** Where lines go, and whose they become. */
export type Target = { url: string; token: string; team: string };

/** One file or command of a guide. */
export type Block = { file: string; code: string };

/** Ready configuration for one shipper. */
export type Guide = { id: string; name: string; group: string; blocks: (to: Target) => Block[]; then: string };

/** The address in the parts that some shippers want it in. */
export function addressOf(url: string): { host: string; port: string; tls: boolean; path: string } {
  const { hostname, port, protocol, pathname } = new URL(url);
  const tls = protocol === "https:";
  return { host: hostname, port: port || (tls ? "443" : "80"), tls, path: pathname.replace(/\/$/, "") };
}

/** The address with a name and the token in it, for clients that take no headers. Its port is always said: some add their own otherwise. */
export function withToken({ url, token }: Target): string {
  const { host, port, tls, path } = addressOf(url);
  return `http${tls ? "s" : ""}://signalbox:${token}@${host}:${port}${path}`;
}

/** What this server must be told for it, as its configuration file says it. */
export const ofServer = (lines: string): Block => ({ file: "signalbox.yaml of this server", code: `logs:\n${lines.replace(/^/gm, "  ")}` });
