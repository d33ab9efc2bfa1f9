import { QueryClient } from "@tanstack/react-query";
import { worthRetrying } from "@/api/problem";

/** Old data stays on the page while new data comes; the stream says when something is stale. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        gcTime: 10 * 60_000,
        retry: (failures, error) => failures < 2 && worthRetrying(error),
        retryDelay: (failures) => Math.min(500 * 2 ** failures, 8000),
      },
    },
  });
}
