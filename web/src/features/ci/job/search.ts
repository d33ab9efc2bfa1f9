import { extend, flag, number } from "@/ui/schema";
import { instanceSearch } from "../address";

/** What the address says about a job's page: older builds begin below an id. */
export const jobSearch = extend(instanceSearch, {
  before: number(),
  /** The form that starts a build is open, perhaps with the values of an earlier one. */
  run: flag(),
  like: number(),
});
