import { params, text } from "@/ui/schema";

/** What the address of a new pipeline says: its name, and the sample to begin with. */
export const newPipelineSearch = params({
  name: text(128),
});
