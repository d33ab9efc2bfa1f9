import { number, oneOfOr, params } from "@/ui/schema";

/** What the address says about the page of an alert. */
export const alertSearch = params({ tab: oneOfOr(["history", "rule"], "history") });

/** What the address of a new rule says: for which project. */
export const newAlertSearch = params({ project: number() });
