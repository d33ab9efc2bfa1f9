import Anser from "anser";

/** A piece of a line in one style. `color` and `background` are values of CSS; the 16 named colours come as classes. */
export type Piece = { text: string; className?: string; color?: string; background?: string };

type Rgb = [number, number, number];

// The ground of the log pane, as in styles/tokens.css: what a colour is made readable against.
const ground: Rgb = [13, 17, 16];
const leastContrast = 4.5;
// Select graphic rendition is what we follow; every other sequence only moves a cursor that we do not have.
// eslint-disable-next-line no-control-regex -- the escape character is what this is about
const otherSequences = /\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)|\[[0-?]*[ -/]*[@-ln-~]|[()#%][0-9A-Za-z]|[=>78cDEHMNOZ])/g;
// eslint-disable-next-line no-control-regex
const styles = /\x1b\[[0-9;:]*m/g;
// eslint-disable-next-line no-control-regex
const controls = /[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]/g;

/** What a terminal would show of a line: after a carriage return the last writing wins. Styles set before it go on. */
export function settled(text: string): string {
  if (!text.includes("\r")) return text;
  const segments = text.split("\r");
  let last = segments.length - 1;
  while (last > 0 && plain(segments[last] ?? "") === "") last -= 1;
  const before = segments.slice(0, last).join("").match(styles)?.join("") ?? "";
  return before + (segments[last] ?? "");
}

/** The words alone. */
export function plain(text: string): string {
  return text.replace(otherSequences, "").replace(styles, "").replace(controls, "");
}

/** The styles that still hold at the end of a line, as the sequences that set them; "" when none do. */
export function carried(before: string, text: string): string {
  if (!text.includes("\x1b[")) return before;
  let open = before;
  for (const [sequence] of text.matchAll(styles)) open = /^\x1b\[(?:0+[;:]?)*m$/.test(sequence) ? "" : open + sequence; // eslint-disable-line no-control-regex
  return open.length > 256 ? open.slice(open.lastIndexOf("\x1b[")) : open;
}

/** Splits a line into pieces of one style. `before` are styles carried over from the line above. */
export function pieces(text: string, before = ""): Piece[] {
  const shown = (before + settled(text)).replace(otherSequences, "").replace(controls, "");
  if (!shown.includes("\x1b[")) return shown === "" ? [] : [{ text: shown }];
  // Colons separate the parts of a colour in the newer writing.
  const spoken = shown.replace(styles, (sequence) => sequence.replace(/:(?=[^m])/g, ";"));
  const entries = Anser.ansiToJson(spoken, { json: true, remove_empty: true, use_classes: true });
  return entries.map(style);
}

function style(entry: Anser.AnserJsonEntry): Piece {
  const [fg, bg] = [tone(entry.fg, entry.fg_truecolor), tone(entry.bg, entry.bg_truecolor)];
  const names = entry.decorations.filter((name) => name !== "blink").map((name) => `a-${name}`);
  const piece: Piece = { text: entry.content };
  if (typeof fg === "string") names.push(`a-${fg}`);
  else if (fg) piece.color = css(bg ? fg : readable(fg));
  if (typeof bg === "string") names.push(`a-on-${bg}`);
  else if (bg) piece.background = css(bg);
  if (names.length > 0) piece.className = names.join(" ");
  return piece;
}

/** A name of the 16, or a colour. */
function tone(name: string | null, truecolor: string | null): string | Rgb | undefined {
  if (!name) return undefined;
  if (name === "ansi-truecolor") return parts(truecolor);
  const indexed = /^ansi-palette-(\d+)$/.exec(name);
  if (!indexed) return name.replace(/^ansi-/, "");
  return palette(Number(indexed[1]));
}

const basic = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/** The 256 colours: 16 names, a cube of 6 x 6 x 6, 24 greys. */
export function palette(index: number): string | Rgb {
  if (index < 8) return basic[index] ?? "white";
  if (index < 16) return `bright-${basic[index - 8]}`;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return [grey, grey, grey];
  }
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  const at = index - 16;
  return [level(Math.floor(at / 36)), level(Math.floor(at / 6) % 6), level(at % 6)];
}

function parts(text: string | null): Rgb | undefined {
  const numbers = (text ?? "").split(",").map(Number);
  return numbers.length === 3 && numbers.every((value) => value >= 0 && value <= 255) ? (numbers as Rgb) : undefined;
}

const css = (colour: Rgb) => `rgb(${colour.map(Math.round).join(" ")})`;

/** Lightens a colour until it can be read on the pane: programs choose for terminals they do not know. */
export function readable(colour: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.1) {
    const mixed = colour.map((value) => value + (255 - value) * share) as Rgb;
    if (contrast(mixed, ground) >= leastContrast) return mixed;
  }
  return [255, 255, 255];
}

export function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
