import { number, params, text } from "@/ui/schema";

/** What the address says about the channels page: whose history is open, and from where on. */
export const channelsSearch = params({
  channel: text(),
  before: number(),
});
