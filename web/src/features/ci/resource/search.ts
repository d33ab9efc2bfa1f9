import { z } from "@/ui/schema";
import { instanceSearch } from "../address";

/** How many versions a page lists. */
export const versionsShown = 50;

/** What the address says about a resource's page. */
export const resourceSearch = instanceSearch.extend({
  offset: z.coerce.number().int().nonnegative().default(0).catch(0),
  /** The version whose details are open. */
  version: z.coerce.number().int().positive().optional().catch(undefined),
});
