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
      if (all) await client.invalidateQueries();
      else await Promise.all([...keys.values()].map((queryKey) => client.invalidateQueries({ queryKey })));
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
