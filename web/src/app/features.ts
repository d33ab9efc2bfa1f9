import { ciFeature } from "@/features/ci/feature";
import { assistantFeature } from "@/features/assistant/feature";
import { edgeFeature } from "@/features/edge/feature";
import { issuesFeature } from "@/features/issues/feature";
import { logsFeature } from "@/features/logs/feature";
import type { Feature } from "@/ui/frame/feature";

/** Every capability with pages, in the order of the rail. It shows once the server names it. */
export const features: Feature[] = [ciFeature, issuesFeature, logsFeature, assistantFeature, edgeFeature];

/** What is followed: the features, and what every server has besides them. */
export const followed = [...features.map((feature) => feature.name), "accounts", "system"];
