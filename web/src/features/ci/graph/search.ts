import { z } from "@/ui/schema";
import { instanceSearch } from "../address";

/** What the address says about a pipeline's page. Without `view` wide screens draw and phones list. */
export const pipelineSearch = instanceSearch.extend({
  view: z.enum(["graph", "table"]).optional().catch(undefined),
  group: z.coerce.string().optional().catch(undefined),
});

export type PipelineSearch = z.output<typeof pipelineSearch>;
