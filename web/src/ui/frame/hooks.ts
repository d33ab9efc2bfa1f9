import { useEffect, useLayoutEffect, useRef } from "react";
import { type Action, type Page, useFrame } from "./context";

/** Names the open page: browser tab, breadcrumb, icon of the tab. */
export function usePage(page: Page): void {
  const { setPage } = useFrame();
  const key = JSON.stringify(page);
  useEffect(() => setPage(JSON.parse(key) as Page), [key, setPage]);
}

/** Offers actions in the palette and by their keys while the component is mounted. */
export function useActions(actions: Action[]): void {
  const { register } = useFrame();
  const latest = useRef(actions);
  useLayoutEffect(() => {
    latest.current = actions;
  });
  useLayoutEffect(() => register(() => latest.current), [register]);
}

/** Shows a line at the corner; with `undo` it offers that for 8 s. */
export function useToast() {
  return useFrame().toast;
}
