/** A value as a query says it: in quotation marks where it holds more than a bare word may. */
export function quoted(value: string): string {
  if (value !== "" && /^[\p{L}\p{N}_.@:/+=%-]+$/u.test(value) && !/^[-/]/.test(value)) return value;
  return `"${value.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n").replace(/\t/g, "\\t")}"`;
}

/** A text to be found in messages, as a query says it: in quotation marks unless it is one bare word. */
export function sought(text: string): string {
  if (/^[\p{L}\p{N}][\p{L}\p{N}_.-]*$/u.test(text) && !/^(or|and|not)$/i.test(text)) return text;
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/** The stretch from one place in a text to another, with the words it begins and ends in made whole: only whole words are found. */
export function wholeWords(text: string, from: number, to: number): string {
  const inside = /[\p{L}\p{N}]/u;
  const joined = (at: number) => at > 0 && at < text.length && inside.test(text[at - 1] as string) && inside.test(text[at] as string);
  let [start, end] = [from, to];
  while (joined(start)) start--;
  while (joined(end)) end++;
  return text.slice(start, end).trim();
}

/** A name as a query says it. */
export function named(name: string): string {
  return /^[\p{L}_@][\p{L}\p{N}_.@/-]*$/u.test(name) ? name : `"${name.replace(/[\\"]/g, "\\$&")}"`;
}

/** The condition that a field has a value; `=` where a star in it is a star. */
export const term = (name: string, value: string) => `${named(name)}:${value.includes("*") ? "=" : ""}${quoted(value)}`;

/** Where the first pipe begins, or the end: a bar that stands in no quotation marks. */
export function pipeAt(query: string): number {
  let mark = "";
  for (let at = 0; at < query.length; at++) {
    const letter = query[at] as string;
    if (mark) {
      if (letter === "\\" && mark !== "`") at++;
      else if (letter === mark) mark = "";
    } else if (`"'\``.includes(letter)) mark = letter;
    else if (letter === "|") return at;
  }
  return query.length;
}

export const hasPipe = (query: string) => pipeAt(query) < query.length;

/** Adds a condition in front of the pipes. What is said already, or its contrary, goes first. */
export function withTerm(query: string, condition: string): string {
  const at = pipeAt(query);
  const contrary = condition.startsWith("-") ? condition.slice(1) : `-${condition}`;
  const filter = query.slice(0, at).trim();
  const parts = pieces(filter).filter((piece) => piece !== condition && piece !== contrary);
  // Side by side binds closer than "or": what was there keeps its meaning in brackets.
  const before = parts.some((piece) => piece.toLowerCase() === "or") ? `(${parts.join(" ")})` : parts.join(" ");
  return [before, condition, query.slice(at).trim()].filter(Boolean).join(" ");
}

export function withoutTerm(query: string, condition: string): string {
  const at = pipeAt(query);
  return [...pieces(query.slice(0, at)).filter((piece) => piece !== condition), query.slice(at).trim()].filter(Boolean).join(" ");
}

export const hasTerm = (query: string, condition: string) => pieces(query.slice(0, pipeAt(query))).includes(condition);

/** The conditions of a filter, cut at spaces outside of quotation marks and brackets. */
export function pieces(filter: string): string[] {
  const found: string[] = [];
  let mark = "";
  let depth = 0;
  let piece = "";
  for (let at = 0; at < filter.length; at++) {
    const letter = filter[at] as string;
    if (mark) {
      if (letter === "\\" && mark !== "`") piece += filter[at++];
      else if (letter === mark) mark = "";
    } else if (`"'\``.includes(letter)) mark = letter;
    else if ("([".includes(letter)) depth++;
    else if (")]".includes(letter)) depth--;
    if (!mark && depth <= 0 && /\s/.test(letter)) {
      if (piece) found.push(piece);
      piece = "";
    } else piece += filter[at] ?? "";
  }
  return piece ? [...found, piece] : found;
}

/** The words and phrases a query looks for in messages, to be marked there. */
export function marked(query: string): string[] {
  const words = pieces(query.slice(0, pipeAt(query))).flatMap((bare) => {
    if (bare.startsWith("(")) return marked(bare.slice(1).replace(/\)$/, ""));
    if (/^(or|and|not)$/i.test(bare) || /^[-!/]/.test(bare)) return [];
    const inMessage = /^(?:message|msg|_msg|line):(.+)$/.exec(bare)?.[1];
    if (inMessage === undefined && /^[\p{L}_@"][^\s"]*"?:/u.test(bare)) return [];
    return [(inMessage ?? bare).replace(/^["'`]|["'`]$/g, "").replace(/^\*|\*$/g, "")];
  });
  return words.filter((word) => word.length > 1);
}

/** Phrases of a pattern's fixed parts: what its lines have in common. */
export function phrases(pattern: string): string {
  return pattern
    .split(/<[^<>]*>/)
    .map((part) => part.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ""))
    .filter((part) => part.length > 1)
    .map((part) => (/\s|[^\p{L}\p{N}_.-]/u.test(part) ? `"${part.replace(/[\\"]/g, "\\$&")}"` : part))
    .join(" ");
}

/** A search for lines whose message differs in nothing but its numbers and ids. */
export function alike(message: string): string {
  const words = phrases(message.replace(/[^\s"'=,;:()[\]{}]*\d[^\s"'=,;:()[\]{}]*/g, "<*>").replace(/\n/g, "<*>"));
  return words || quoted(message);
}

/** The word that is being typed: where it begins, and the field it is a value of. */
export function typing(text: string, caret: number): { start: number; field?: string; word: string; pipe: boolean } {
  const before = text.slice(0, caret);
  const pipe = hasPipe(before);
  const word = /[^\s|()]*$/.exec(before)?.[0] ?? "";
  const bare = word.replace(/^[-!]/, "");
  const start = caret - bare.length;
  const named = /^([\p{L}_@][\p{L}\p{N}_.@/-]*):=?"?(.*)$/u.exec(bare);
  if (named && !pipe) return { start, field: named[1], word: named[2] ?? "", pipe };
  return { start, word: bare, pipe };
}
