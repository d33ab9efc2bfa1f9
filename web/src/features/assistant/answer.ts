/** A stretch of an answer's line. */
export type Piece = { kind: "text"; text: string } | { kind: "strong"; text: string } | { kind: "code"; text: string } | { kind: "link"; text: string; url: string };

/** A part of an answer: a paragraph, a list, or what is quoted from elsewhere. */
export type Part = { kind: "text"; pieces: Piece[] } | { kind: "list" | "quote"; items: Piece[][] };

const inline = /\[((?:[^\]\\]|\\.)*)\]\((https?:\/\/[^\s)]+|\/[^\s)]*)\)|\*\*((?:[^*\\]|\\.)+)\*\*|`([^`]+)`/g;

/** Takes back what keeps foreign text from being mark-up. */
export function unescape(text: string): string {
  return text.replace(/\\([[\]`*_|\\])/g, "$1").replace(/&lt;/g, "<").replace(/&gt;/g, ">");
}

/** Reads a line: links, strong words and code. Anything else is text; nothing is ever taken for HTML. */
export function pieces(line: string): Piece[] {
  const out: Piece[] = [];
  let at = 0;
  for (const found of line.matchAll(inline)) {
    const [whole, title, url, strong, code] = found;
    if (line[found.index - 1] === "\\") continue;
    if (found.index > at) out.push({ kind: "text", text: unescape(line.slice(at, found.index)) });
    if (url !== undefined) out.push({ kind: "link", text: unescape(title ?? ""), url });
    else if (strong !== undefined) out.push(...pieces(strong).map((piece): Piece => (piece.kind === "text" ? { kind: "strong", text: piece.text } : piece)));
    else out.push({ kind: "code", text: code ?? "" });
    at = found.index + whole.length;
  }
  if (at < line.length) out.push({ kind: "text", text: unescape(line.slice(at)) });
  return out;
}

/** Reads the Markdown that answers are written in: paragraphs, lists and quotes. */
export function parts(text: string): Part[] {
  const out: Part[] = [];
  for (const line of text.split("\n")) {
    const item = /^(- |> ?)(.*)$/.exec(line);
    if (!item) {
      if (line.trim()) out.push({ kind: "text", pieces: pieces(line) });
      continue;
    }
    const kind = item[1] === "- " ? "list" : "quote";
    const last = out.at(-1);
    if (last?.kind === kind) last.items.push(pieces(item[2] ?? ""));
    else out.push({ kind, items: [pieces(item[2] ?? "")] });
  }
  return out;
}
