import { useLayoutEffect } from "react";
import { type Action, useFrame } from "@/ui/frame/context";
import { createMatcher, isPressable, isTyping, pressed } from "@/ui/frame/keyboard";
import { readPreference, usePreference, writePreference } from "./preferences";

/** Whether single letters are commands. People who dictate, or whose reader uses letters, switch them off. */
export function useLetters(): [boolean, (on: boolean) => void] {
  const off = usePreference("letters") === "off";
  return [!off, (on) => writePreference("letters", on ? "on" : "off")];
}

/** Runs actions by their keys. */
export function useKeys(): void {
  const frame = useFrame();
  // Before the paint: whoever sees the frame may use its keys.
  useLayoutEffect(() => {
    const match = createMatcher<Action>();
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const key = pressed(event);
      const modified = key.includes("+") && key.length > 1;
      if (!modified && isTyping(event.target)) return;
      if ((key === "Enter" || key === " ") && isPressable(event.target)) return;
      // A dialog on top owns the keys; only what closes or opens layers passes.
      if (!modified && document.querySelector("[role=dialog].dialog, [role=menu]")) return;
      const action = match(key, frame.actions(), readPreference("letters") === "off");
      if (!action) return;
      event.preventDefault();
      if (action.refused) frame.toast({ text: action.refused, kind: "bad" });
      else action.run();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [frame]);
}
