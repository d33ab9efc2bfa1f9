import { oneOf, params, type Read, text } from "@/ui/schema";

/** What the address of the hooks page says: which deliveries are listed, and the one that is open. */
export const hooksSearch = params({
  hook: text(),
  state: oneOf(["waiting", "done", "failed", "none"]),
  before: text(),
  delivery: text(),
});

export type HooksSearch = Read<typeof hooksSearch>;
