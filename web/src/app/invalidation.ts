import type { QueryClient, QueryKey } from "@tanstack/react-query";
import type { Change, Feature } from "@/ui/frame/feature";

/** The query keys a change makes stale: as the feature says, else everything of the capability. */
export function staleKeys(change: Change, features: Pick<Feature, "topics">[]): QueryKey[] {
  for (const feature of features) {
    const rule = feature.topics[change.topic];
    if (rule) return rule(change);
  }
  return [change.topic.split(".").slice(0, 1)];
}

/**
 * Refetches what a change made stale. A query's first fetch is let end, and its answer may be older than the change:
 * it is made stale once more when it is there.
 */
async function refresh(client: QueryClient, filters: { queryKey?: QueryKey }): Promise<void> {
  const first = client.getQueryCache().findAll({ ...filters, fetchStatus: "fetching", predicate: ({ state }) => state.data === undefined });
  await client.invalidateQueries(filters);
  await Promise.all(
    first.map(async ({ promise, queryKey }) => {
      await promise?.catch(() => undefined); // an error is shown by whoever asked
      await client.invalidateQueries({ queryKey, exact: true });
    }),
  );
}

/**
 * Gathers changes and refetches what they made stale. While a refetch runs, further changes wait for the next
 * round: a build that reports ten times a second neither cancels its own refetches nor loses the last change.
 */
export function createInvalidator(client: QueryClient) {
  let waiting = new Map<string, QueryKey>();
  let everything = false;
  let running = false;

  async function run() {
    if (running) return;
    running = true;
    while (everything || waiting.size > 0) {
      const keys = waiting;
      const all = everything;
      waiting = new Map();
      everything = false;
      if (all) await refresh(client, {});
      else await Promise.all([...keys.values()].map((queryKey) => refresh(client, { queryKey })));
    }
    running = false;
  }

  return {
    stale(keys: QueryKey[]) {
      for (const key of keys) waiting.set(JSON.stringify(key), key);
      void run();
    },
    /** After a gap in the stream nothing on the page can be trusted. */
    reset() {
      everything = true;
      void run();
    },
  };
}
