import { z } from "@/ui/schema";

/** What the address says about the wall. */
export const wallSearch = z.object({
  view: z.enum(["wall", "table"]).default("wall").catch("wall"),
  show: z.enum(["all", "pinned", "failing"]).default("all").catch("all"),
  /** A group of the list at the left. */
  group: z.coerce.string().optional().catch(undefined),
  /** Which way of starting is open while there is no pipeline. */
  start: z.enum(["fly", "yaml", "github"]).default("fly").catch("fly"),
});

export type WallSearch = z.output<typeof wallSearch>;
