/** A word that a shell takes as it stands, or in quotes. */
export const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

type Query = Record<string, string | number | undefined>;

/** The call of our API that a page makes, as somebody would type it; what is not given stays out of it. */
export function call(url: string, path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join("&");
  return `curl -fsS -H "Authorization: Bearer $SIGNALBOX_TOKEN" ${quoted(`${url}/api/v1/edge/${path}${search && `?${search}`}`)}`;
}

/** The same for a call that changes something. */
export function change(url: string, method: "POST" | "PUT" | "DELETE", path: string, body?: unknown, query: Query = {}): string {
  const said = body === undefined ? "" : ` \\\n  -d ${quoted(JSON.stringify(body))}`;
  return call(url, path, query).replace("curl -fsS", `curl -fsS${method === "POST" && said ? "" : ` -X ${method}`}`) + said;
}

/** Where commands of ours find this server. */
export const environment = (url: string) => `export SIGNALBOX_URL=${url} SIGNALBOX_TOKEN=YOUR_TOKEN`;
