import { number, params, text } from "@/ui/schema";

/** What the address says about the rules page: whose messages are open, and from where on. */
export const rulesSearch = params({
  rule: text(),
  before: number(),
});
