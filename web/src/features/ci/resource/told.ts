import type { Delivery } from "../queries";

const shown = 10;

/** Those of the deliveries that told the resource at this path of a version, or made it be checked; at most ten. */
export function ofResource(deliveries: Delivery[], path: string): Delivery[] {
  return deliveries.filter(({ caused }) => caused?.some(({ kind, url }) => kind !== "build" && url.split("?")[0] === path)).slice(0, shown);
}
