import { params, text } from "@/ui/schema";

/** What the packages page is asked. */
export const packagesSearch = params({ name: text(256), below: text(64), version: text(64) });
