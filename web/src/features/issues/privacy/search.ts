import { params, text } from "@/ui/schema";

/** What the address says about the page of privacy: on which event rules are shown. */
export const privacySearch = params({ event: text(64) });
