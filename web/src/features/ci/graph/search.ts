import { extend, oneOf, type Read, text } from "@/ui/schema";
import { instanceSearch } from "../address";

/** What the address says about a pipeline's page. Without `view` wide screens draw and phones list. */
export const pipelineSearch = extend(instanceSearch, {
  view: oneOf(["graph", "table"]),
  group: text(),
});

export type PipelineSearch = Read<typeof pipelineSearch>;
