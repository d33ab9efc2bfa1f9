import type { Event, Exception, Frame, Stack } from "../queries";

/** A frame to show, or a run of frames of libraries folded into one line. */
export type Piece = { frame: Frame; at: number } | { folded: { frame: Frame; at: number }[]; from: string };

/** What is shown of a stack, the newest call first unless told otherwise. Frames keep their place as a name. */
export function pieces(frames: Frame[], appOnly: boolean, newestFirst: boolean): Piece[] {
  const placed = frames.map((frame, at) => ({ frame, at }));
  const ordered = newestFirst ? placed.toReversed() : placed;
  // Without a frame of one's own there would be nothing to see.
  if (!appOnly || !frames.some(({ in_app }) => in_app)) return ordered;
  const shown: Piece[] = [];
  for (const one of ordered) {
    const last = shown.at(-1);
    if (one.frame.in_app) shown.push(one);
    else if (last && "folded" in last) last.folded.push(one);
    else shown.push({ folded: [one], from: "" });
  }
  return shown.map((piece) => ("folded" in piece ? { ...piece, from: origin(piece.folded.map(({ frame }) => frame)) } : piece));
}

/** Where frames of others come from: the one folder all share, or nothing. */
function origin(frames: Frame[]): string {
  const names = new Set(frames.map(({ filename, abs_path: path, module, package: made }) => {
    const text = path ?? filename ?? "";
    if (text.includes("node_modules/")) return "node_modules";
    if (text.includes("site-packages/")) return "site-packages";
    if (text.startsWith("node:")) return "Node.js";
    return made ?? module?.split(/[./]/)[0] ?? "";
  }));
  return names.size === 1 ? ([...names][0] ?? "") : "";
}

/** The frame that is open at first: the newest of one's own, else the newest. */
export function firstOpen(frames: Frame[]): number {
  const own = frames.findLastIndex(({ in_app }) => in_app);
  return own >= 0 ? own : frames.length - 1;
}

export function place({ filename, abs_path: path, module, line, column }: Frame): string {
  const name = filename || path || module || "unknown place";
  return `${name}${line ? `:${line}` : ""}${line && column ? `:${column}` : ""}`;
}

export type SourceLine = { no: number; text: string; hit: boolean };

/** The line that failed with those around it. */
export function source({ pre_context: before = [], context, post_context: after = [], line = 0 }: Frame): SourceLine[] {
  if (context === undefined && before.length === 0) return [];
  const first = line - before.length;
  return [...before, context ?? "", ...after].map((text, at) => ({ no: first + at, text, hit: at === before.length }));
}

/** Errors with their causes, the outermost first; clients send the innermost first. */
export function chain(event: Event): Exception[] {
  const sent = event.exceptions ?? [];
  if (sent.length > 0) return sent.toReversed();
  const thread = event.threads?.find(({ crashed, current }) => crashed || current) ?? event.threads?.[0];
  const stack = event.stack ?? thread?.stack;
  return stack ? [{ type: event.message?.formatted ?? "", stack }] : [];
}

/** A stack as a terminal prints it. */
export function rawStack({ type, value, stack }: Exception): string {
  const head = [type, value].filter(Boolean).join(": ");
  return [head, ...(stack?.frames ?? []).toReversed().map((frame) => `    at ${frame.function || "?"} (${place(frame)})`)].join("\n");
}

export const hasFrames = (stack: Stack | undefined): stack is Stack & { frames: Frame[] } => (stack?.frames?.length ?? 0) > 0;

/** A local variable, on one line. */
export function shortValue(value: unknown, longest = 160): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
