/** A piece of a query with its place in the text. */
export type Token = { text: string; start: number; end: number };

/** Cuts a query into what stands between blanks outside quotes and brackets, as the server reads it. */
export function tokens(query: string): Token[] {
  const found: Token[] = [];
  let start = -1;
  let quoted = false;
  let listed = false;
  for (let at = 0; at <= query.length; at += 1) {
    const letter = query[at];
    const blank = letter === undefined || (/\s/.test(letter) && !quoted && !listed);
    if (blank) {
      if (start >= 0) found.push({ text: query.slice(start, at), start, end: at });
      start = -1;
      continue;
    }
    if (start < 0) start = at;
    if (letter === "\\" && quoted) at += 1;
    else if (letter === '"') quoted = !quoted;
    else if (letter === "[" && !quoted) listed = true;
    else if (letter === "]" && !quoted) listed = false;
  }
  return found;
}

/** "is:" and "unresolved"; free text has no key. */
export function parts(token: string): { key: string; value: string } {
  const match = /^(!?[\w.-]+:)(.*)$/s.exec(token);
  return match ? { key: match[1] ?? "", value: match[2] ?? "" } : { key: "", value: token };
}

export const without = (query: string, gone: Token) => `${query.slice(0, gone.start)}${query.slice(gone.end)}`.replace(/\s+/g, " ").trim();

/** Adds a term once; a value that is no word is put in quotes. */
export function withTerm(query: string, key: string, value: string): string {
  const plain = /^[\w.@/+-]+$/.test(value) ? value : `"${value.replace(/(["\\])/g, "\\$1")}"`;
  const term = `${key}:${plain}`;
  return tokens(query).some(({ text }) => text === term) ? query : `${query} ${term}`.trim();
}

export type Mistake = { message: string; start: number; end: number };

/** The place of a mistake, which the server names in bytes: "query:13-20". */
export function mistake(query: string, fields: { field: string; message: string }[]): Mistake | undefined {
  for (const { field, message } of fields) {
    const match = /^query:(\d+)-(\d+)$/.exec(field);
    if (match) return { message, start: letterAt(query, Number(match[1])), end: letterAt(query, Number(match[2])) };
  }
  return undefined;
}

function letterAt(text: string, byte: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(text).slice(0, byte)).length;
}

const keys = ["is", "assigned", "project", "release", "first_release", "environment", "level", "type", "message", "culprit", "transaction", "user.email", "user.id", "server_name", "url", "platform", "logger", "events", "users", "first_seen", "last_seen", "has", "trace", "event"];
const values: Record<string, string[]> = {
  is: ["unresolved", "resolved", "archived", "new", "ongoing", "regressed", "escalating", "assigned", "unassigned", "for_review"],
  assigned: ["me", "nobody"],
  level: ["fatal", "error", "warning", "info", "debug"],
  first_seen: ["-1h", "-24h", "-7d"],
  last_seen: ["-1h", "-24h", "-7d"],
};

/** What could complete the word that is being typed. */
export function suggestions(word: string): string[] {
  const bang = word.startsWith("!") ? "!" : "";
  const [key = "", value] = word.slice(bang.length).split(/:(.*)/s);
  const all = value === undefined ? keys.map((name) => `${name}:`) : (values[key] ?? []).map((one) => `${key}:${one}`);
  const typed = value === undefined ? key : `${key}:${value}`;
  return all.filter((one) => one.startsWith(typed.toLowerCase()) && one !== typed).map((one) => bang + one).slice(0, 8);
}
