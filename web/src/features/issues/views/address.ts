import { usualQuery } from "../list/search";
import type { SavedView } from "./queries";

type Listed = { query?: string; sort?: string; project?: string };

/** What the address of the list says for a saved view. */
export function searchOf({ query, sort, project }: Pick<SavedView, "query" | "sort" | "project">): Record<string, string> {
  return { ...(project ? { project } : {}), ...(query !== usualQuery ? { query } : {}), ...(sort !== "last_seen" ? { sort } : {}) };
}

/** Whether the list shows just what a view names. */
export function isShown(view: Pick<SavedView, "query" | "sort" | "project">, { query, sort, project }: Listed): boolean {
  return view.query === (query ?? usualQuery) && view.sort === (sort ?? "last_seen") && view.project === (project ?? "");
}

/** A list as a command: the same address with a token. */
export function curl(url: string, team: string, { query, sort, project }: Listed): string {
  const asked = new URLSearchParams({ team, query: query ?? usualQuery, ...(sort ? { sort } : {}), ...(project ? { project } : {}) });
  return `curl -H "Authorization: Bearer $SIGNALBOX_TOKEN" "${url}/api/v1/issues/issues?${asked.toString()}"`;
}
