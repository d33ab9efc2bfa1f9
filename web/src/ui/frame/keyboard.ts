/** A key press as written in an action: "j", "?", "E" (with shift), "mod+k", "Escape". */
export function pressed(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">): string {
  if (event.ctrlKey || event.metaKey) return `mod+${event.key.toLowerCase()}`;
  if (event.altKey) return `alt+${event.key.toLowerCase()}`;
  return event.key;
}

/** Whether letters typed here are text and no command. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("textarea, select, [contenteditable=''], [contenteditable=true], .cm-editor")) return true;
  const input = target.closest("input");
  return input !== null && !["checkbox", "radio", "button", "submit"].includes(input.type);
}

/** Whether the thing in focus has a use of its own for Enter and Space. */
export function isPressable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("a[href], button, summary, [role=menuitem], [role=option], input, select") !== null;
}

/** The key sequence as shown to people: "mod+k" is "Ctrl K", on a Mac "⌘ K". */
export function shownKeys(keys: string, mac = isMac()): string {
  return keys
    .split(" ")
    .map((key) => key.replace(/^mod\+(.)$/, (_, letter: string) => `${mac ? "⌘" : "Ctrl"} ${letter.toUpperCase()}`))
    .map((key) => (/^[A-Z]$/.test(key) ? `Shift ${key}` : key))
    .join(" ")
    .replace("ArrowLeft", "←")
    .replace("ArrowRight", "→")
    .replace("Escape", "Esc");
}

function isMac(): boolean {
  return typeof navigator !== "undefined" && /mac/i.test(navigator.platform);
}

/** A binding the matcher chooses from. */
export type Binding = { keys?: string };

const patience = 1200;

/**
 * Follows key presses and finds the binding they complete. Sequences ("g p") wait 1.2 s for their next key.
 * `lettersOff` leaves only what needs a modifier or is no printable key.
 */
export function createMatcher<B extends Binding>(now: () => number = Date.now) {
  let begun: string[] = [];
  let last = 0;
  return function match(key: string, bindings: B[], lettersOff: boolean): B | undefined {
    if (now() - last > patience) begun = [];
    last = now();
    if (lettersOff && key.length === 1) {
      begun = [];
      return undefined;
    }
    for (const tried of [[...begun, key], [key]]) {
      const sequence = tried.join(" ");
      // The binding registered last wins: the open page above the frame.
      const hit = bindings.findLast((binding) => binding.keys === sequence);
      if (hit) {
        begun = [];
        return hit;
      }
      if (bindings.some((binding) => binding.keys?.startsWith(`${sequence} `))) {
        begun = tried;
        return undefined;
      }
    }
    begun = [];
    return undefined;
  };
}
