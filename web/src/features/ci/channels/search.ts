import { z } from "@/ui/schema";

/** What the address says about the channels page: whose history is open, and from where on. */
export const channelsSearch = z.object({
  channel: z.coerce.string().optional().catch(undefined),
  before: z.coerce.number().int().positive().optional().catch(undefined),
});
