import { z } from "@/ui/schema";
import { instanceSearch } from "../address";

/** What the address says about a job's page: older builds begin below an id. */
export const jobSearch = instanceSearch.extend({
  before: z.coerce.number().int().positive().optional().catch(undefined),
});
