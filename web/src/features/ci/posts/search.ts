import { oneOf, params } from "@/ui/schema";

/** Which posts are listed. */
export const postsSearch = params({
  state: oneOf(["waiting", "retrying", "posted", "failed"]),
  kind: oneOf(["status", "check", "comment"]),
});
