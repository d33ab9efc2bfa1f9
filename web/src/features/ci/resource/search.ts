import { extend, number, numberOr } from "@/ui/schema";
import { instanceSearch } from "../address";

/** How many versions a page lists. */
export const versionsShown = 50;

/** What the address says about a resource's page. */
export const resourceSearch = extend(instanceSearch, {
  offset: numberOr(0),
  /** The version whose details are open. */
  version: number(),
});
