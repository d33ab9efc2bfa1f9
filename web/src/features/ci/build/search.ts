import { z } from "@/ui/schema";

/** What the address says about a build page; the linked lines are in its hash. */
export const buildSearch = z.object({
  tab: z.enum(["log", "inputs"]).optional().catch(undefined),
  /** What is searched for in the log. */
  q: z.coerce.string().optional().catch(undefined),
  regex: z.coerce.boolean().optional().catch(undefined),
  /** Which match is looked at, from 1. */
  match: z.coerce.number().int().positive().optional().catch(undefined),
  time: z.enum(["off", "relative", "utc"]).optional().catch(undefined),
  wrap: z.coerce.boolean().optional().catch(undefined),
});

export type BuildSearch = z.output<typeof buildSearch>;
export type TimeShown = NonNullable<BuildSearch["time"]>;
