import { createContext, useContext } from "react";
import type { IconType } from "../Icon";
import type { Status } from "../status";

/** Something a person can run: from the palette by name, or by its keys. */
export type Action = {
  id: string;
  label: string;
  group?: string;
  icon?: IconType;
  /** "g p", "r", "E" (shift), "mod+k", "?" */
  keys?: string;
  /** Further words it is found by. */
  also?: string;
  /** Not listed in the palette, only a key. */
  hidden?: boolean;
  /** Why it cannot be run now. */
  refused?: string | false;
  run: () => void;
};

export type Crumb = { label: string; to?: string };

export type Page = {
  /** Shown in the browser tab before the name of the team. */
  title: string;
  crumbs?: Crumb[];
  /** Changes the icon of the browser tab. */
  status?: Status;
};

export type ToastInit = {
  text: string;
  kind?: "bad";
  /** Offers Undo for 8 s. */
  undo?: () => void;
  /** Finds the server's own line about a failure. */
  requestId?: string;
};

/** What pages tell the frame around them. Stable for the life of the frame. */
export type FrameApi = {
  register: (read: () => Action[]) => () => void;
  actions: () => Action[];
  setPage: (page: Page) => void;
  toast: (init: ToastInit) => void;
  announce: (text: string) => void;
  /** The list of the page claims the context column; returns the way to give it back. */
  claimContext: () => () => void;
};

export type FrameState = { page: Page; contextSlot: HTMLElement | null };

const missing = () => {
  throw new Error("This component stands outside FrameProvider.");
};

export const FrameApiContext = createContext<FrameApi>({
  register: missing,
  actions: missing,
  setPage: missing,
  toast: missing,
  announce: missing,
  claimContext: missing,
});

export const FrameStateContext = createContext<FrameState & { hasContext: boolean; setContextSlot: (slot: HTMLElement | null) => void }>({
  page: { title: "" },
  contextSlot: null,
  hasContext: false,
  setContextSlot: missing,
});

export function useFrame(): FrameApi {
  return useContext(FrameApiContext);
}
