import { type ReactNode, useMemo, useRef, useState } from "react";
import { type Action, FrameApiContext, type FrameApi, FrameStateContext, type Page } from "./context";
import { Toasts, useToasts } from "./Toasts";

/** Holds what pages tell the frame: their title, their actions, their context list, their toasts. */
export function FrameProvider({ children }: { children: ReactNode }) {
  const [page, setPage] = useState<Page>({ title: "" });
  const [contextSlot, setContextSlot] = useState<HTMLElement | null>(null);
  const [claims, setClaims] = useState(0);
  const sources = useRef(new Set<() => Action[]>());
  const toasts = useToasts();
  const { toast, announce } = toasts;

  const frame = useMemo<FrameApi>(
    () => ({
      register: (read) => {
        sources.current.add(read);
        return () => sources.current.delete(read);
      },
      actions: () => [...sources.current].flatMap((read) => read()),
      setPage,
      toast,
      announce,
      claimContext: () => {
        setClaims((count) => count + 1);
        return () => setClaims((count) => count - 1);
      },
    }),
    [toast, announce],
  );
  // Until the first page has said what it is, its list is expected: nearly all have one, and a column that comes late moves the page.
  const state = useMemo(() => ({ page, contextSlot, setContextSlot, hasContext: claims > 0 || page.title === "" }), [page, contextSlot, claims]);

  return (
    <FrameApiContext value={frame}>
      <FrameStateContext value={state}>
        {children}
        <Toasts {...toasts} />
      </FrameStateContext>
    </FrameApiContext>
  );
}
