import { oneOfOr, params, type Read, text } from "@/ui/schema";

/** What the address says about the wall. */
export const wallSearch = params({
  view: oneOfOr(["wall", "table", "arrange"], "wall"),
  show: oneOfOr(["all", "pinned", "failing"], "all"),
  /** A group of the list at the left. */
  group: text(),
  /** Which way of starting is open while there is no pipeline. */
  start: oneOfOr(["fly", "yaml", "github"], "fly"),
});

export type WallSearch = Read<typeof wallSearch>;
