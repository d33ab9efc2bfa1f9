import { oneOf, oneOfOr, params, text } from "@/ui/schema";

/** What the address says about the page of an alert. */
export const alertSearch = params({ tab: oneOfOr(["history", "rule"], "history"), days: oneOf(["7"]) });

/** What the address of a new alert says: made from which search. */
export const newAlertSearch = params({ q: text(4000), days: oneOf(["7"]) });
