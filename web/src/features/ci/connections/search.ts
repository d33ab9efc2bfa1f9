import { number, params, text } from "@/ui/schema";

/** What the address of the connections page says; GitHub's way back leaves `connected` or `problem` there. */
export const connectionsSearch = params({
  connected: text(),
  problem: text(500),
  installations: text(),
  organizations: text(),
});

/** Whose repositories are listed, which of them, and from which page on. */
export const repositoriesSearch = params({
  connection: text(),
  q: text(100),
  page: number(),
});
