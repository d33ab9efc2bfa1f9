import type { Page } from "../queries";

const segment = (part: string | undefined) => decodeURIComponent(part ?? "");

/** What an address shows, as far as a question may mean it. `title` is what the page calls itself. */
export function pageAt(path: string, search: Record<string, unknown>, title: string): Page | undefined {
  const build = /^\/teams\/[^/]+\/pipelines\/([^/]+)\/jobs\/([^/]+)\/builds\/([^/]+)/.exec(path);
  if (build) return { kind: "build", name: segment(build[1]), job: segment(build[2]), id: segment(build[3]) };
  const bare = /^\/builds\/(\d+)/.exec(path);
  if (bare) return { kind: "build", id: bare[1] };
  const pipeline = /^\/teams\/[^/]+\/pipelines\/([^/]+)/.exec(path);
  if (pipeline) return { kind: "pipeline", name: segment(pipeline[1]) };
  const issue = /^\/teams\/[^/]+\/issues\/(\d+)/.exec(path);
  if (issue) return { kind: "issue", id: issue[1], name: title.slice(0, 200) };
  const node = /^\/teams\/[^/]+\/edge\/nodes\/([^/]+)/.exec(path);
  if (node) return { kind: "node", id: segment(node[1]), name: title.slice(0, 200) };
  if (/^\/teams\/[^/]+\/logs\/?$/.test(path)) return { kind: "logs", query: typeof search.q === "string" ? search.q.slice(0, 1000) : "" };
  return undefined;
}
