import { flag, number, oneOf, params, type Read, text } from "@/ui/schema";

/** What the address says about a build page; the linked lines are in its hash. */
export const buildSearch = params({
  tab: oneOf(["log", "inputs", "tests", "artifacts", "components"]),
  /** Which tests are listed, and from which page on. */
  state: oneOf(["passed", "failed", "errored", "skipped"]),
  page: number(),
  /** What tests or components are searched for. */
  find: text(),
  /** What is searched for in the log. */
  q: text(),
  regex: flag(),
  /** Which match is looked at, from 1. */
  match: number(),
  time: oneOf(["off", "relative", "utc"]),
  wrap: flag(),
});

export type BuildSearch = Read<typeof buildSearch>;
export type TimeShown = NonNullable<BuildSearch["time"]>;
