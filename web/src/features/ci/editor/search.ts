import { z } from "@/ui/schema";

/** What the address of a new pipeline says: its name, and the sample to begin with. */
export const newPipelineSearch = z.object({
  name: z.coerce.string().max(128).optional().catch(undefined),
});
