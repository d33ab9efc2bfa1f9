import { oneOfOr, params, text } from "@/ui/schema";

/** What the address says about the list of releases. */
export const releasesSearch = params({ project: text() });

/** What the address says about the page of a release. */
export const releaseSearch = params({ tab: oneOfOr(["overview", "commits", "artifacts"], "overview") });
