import { ciFeature } from "@/features/ci/feature";
import type { Feature } from "@/ui/frame/feature";

/** Every capability with pages, in the order of the rail. It shows once the server names it. */
export const features: Feature[] = [ciFeature];

/** Topics of the pages that every server has. */
export const everywhere: Pick<Feature, "topics"> = { topics: {} };
