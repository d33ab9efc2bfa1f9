import { oneOfOr, params, type Read, text } from "@/ui/schema";

/** What the address says about the page of an issue. */
export const issueSearch = params({
  tab: oneOfOr(["issue", "events", "grouping", "feedback"], "issue"),
  frames: oneOfOr(["app", "full", "raw"], "app"),
  order: oneOfOr(["newest", "oldest"], "newest"),
  /** Breadcrumbs: least level, and words. */
  crumbs: oneOfOr(["all", "warning", "error"], "all"),
  find: text(200),
});

export type IssueSearch = Read<typeof issueSearch>;
