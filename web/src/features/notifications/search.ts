import { number, oneOf, params, text } from "@/ui/schema";

/** What the address says about the rules shown. */
export const rulesSearch = params({ capability: text(20), q: text(100) });

/** What the address says about the messages shown. */
export const historySearch = params({
  channel: text(64),
  rule: text(200),
  capability: text(20),
  state: oneOf(["waiting", "sent", "failed", "held", "grouped"]),
  q: text(100),
  before: number(),
});
