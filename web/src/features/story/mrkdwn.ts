/** What stands in a message of Slack: words, links, words that are set apart. */
export type Piece = { kind: "text" | "strong" | "code"; text: string; url?: string };

const plain = (text: string) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** Takes a message of Slack apart by its own marks. */
export function pieces(message: string): Piece[] {
  const out: Piece[] = [];
  const marks = /```\n?([^]*?)\n?```|<([^|>]+)\|([^>]*)>|<(https?:[^>]+)>|\*([^*\n]+)\*|`([^`\n]+)`/g;
  let from = 0;
  for (const found of message.matchAll(marks)) {
    if (found.index > from) out.push({ kind: "text", text: plain(message.slice(from, found.index)) });
    from = found.index + found[0].length;
    const [, block, url, label, bare, strong, code] = found;
    if (url !== undefined) out.push({ kind: label?.startsWith("*") ? "strong" : "text", text: plain((label ?? "").replace(/^\*(.*)\*$/, "$1")), url: plain(url) });
    else if (bare !== undefined) out.push({ kind: "text", text: plain(bare), url: plain(bare) });
    else if (strong !== undefined) out.push({ kind: "strong", text: plain(strong) });
    else out.push({ kind: "code", text: plain(block ?? code ?? "") });
  }
  if (from < message.length) out.push({ kind: "text", text: plain(message.slice(from)) });
  return out;
}
