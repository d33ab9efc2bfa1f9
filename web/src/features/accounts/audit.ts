import { number, params, text } from "@/ui/schema";

/** The filters of the audit log, as they stand in the address. */
export const auditSearch = params({
  team: text(),
  q: text(),
  before: number(),
});
