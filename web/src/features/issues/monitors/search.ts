import { oneOf, oneOfOr, params, text } from "@/ui/schema";

/** What the address says about the list of monitors. */
export const monitorsSearch = params({ project: text(), how: oneOf(["curl", "cli", "sdk"]) });

/** What the address says about the page of a monitor. */
export const monitorSearch = params({ environment: text(), span: oneOfOr(["24", "168", "720"], "24") });
