import type { QueryKey } from "@tanstack/react-query";
import type { AnyRoute } from "@tanstack/react-router";
import type { IconType } from "../Icon";

/** What the server says changed: `{topic: "ci.build", id: "42", team: "main"}`. */
export type Change = { topic: string; id: string; team?: string };

/** What a feature gives to the app that composes it. */
export type Feature = {
  /** The capability: it shows once the server names it. */
  name: string;
  label: string;
  icon: IconType;
  /** Goes there from anywhere: "g p". */
  keys?: string;
  home: (team: string) => string;
  /** Whether a path belongs to it, beyond those below its home. */
  owns?: (path: string) => boolean;
  /** Routes below /teams/$team. */
  teamRoutes: (team: AnyRoute) => AnyRoute[];
  /** Pages below /teams/$team/settings, listed among those of the team. */
  settings?: { entries: { path: string; label: string; icon: IconType }[]; routes: (settings: AnyRoute) => AnyRoute[] };
  /** Routes that belong to no team in their path, such as /builds/$build. */
  frameRoutes?: (frame: AnyRoute) => AnyRoute[];
  /**
   * The query keys a change makes stale, by topic. Keys are prefixes. A topic that is not here
   * makes everything of its capability stale: "ci.worker" makes ["ci"].
   */
  topics: Record<string, (change: Change) => QueryKey[]>;
};
