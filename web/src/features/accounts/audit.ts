import { z } from "@/ui/schema";

/** The filters of the audit log, as they stand in the address. */
export const auditSearch = z.object({
  team: z.string().optional().catch(undefined),
  q: z.string().optional().catch(undefined),
  before: z.coerce.number().int().positive().optional().catch(undefined),
});
