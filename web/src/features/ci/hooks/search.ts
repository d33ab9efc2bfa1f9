import { z } from "@/ui/schema";

/** What the address of the hooks page says: which deliveries are listed, and the one that is open. */
export const hooksSearch = z.object({
  hook: z.coerce.string().optional().catch(undefined),
  state: z.enum(["waiting", "done", "failed", "none"]).optional().catch(undefined),
  before: z.coerce.string().optional().catch(undefined),
  delivery: z.coerce.string().optional().catch(undefined),
});

export type HooksSearch = z.output<typeof hooksSearch>;
