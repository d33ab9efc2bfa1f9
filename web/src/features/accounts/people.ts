import { params, text } from "@/ui/schema";

/** Lists of people as they stand in the address. */
export const peopleSearch = params({ q: text() });

/** Up to so many are seen at a glance: no field to look for one. */
export const fewPeople = 20;
