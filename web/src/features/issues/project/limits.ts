import { count } from "@/format/bytes";
import type { ProjectLimit } from "../queries";

/** "1,000 error per hour". */
export const limitWords = ({ category, count: most, per }: ProjectLimit) => `${count(most)} ${category || "items"} per ${per}`;

/** One entry per line, without blanks and doubles. */
export const lines = (text: string): string[] => [...new Set(text.split("\n").map((line) => line.trim()).filter(Boolean))];
