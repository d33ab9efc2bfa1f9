import { extend, number } from "@/ui/schema";
import { instanceSearch } from "../address";

/** What the address says about a job's page: older builds begin below an id. */
export const jobSearch = extend(instanceSearch, {
  before: number(),
});
