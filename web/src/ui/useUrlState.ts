import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import type { Read, Written, ZodMiniType } from "./schema";

/**
 * The query of the address, read through a schema: filters, sort and what is open live there and nowhere else.
 * A value the schema refuses falls back to its default. `set` replaces the entry in the history unless told to push.
 */
export function useUrlState<S extends ZodMiniType<Record<string, unknown>>>(schema: S) {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const key = JSON.stringify(search);
  const state = useMemo(() => {
    const raw = JSON.parse(key) as Record<string, unknown>;
    const parsed = schema.safeParse(raw);
    return (parsed.success ? parsed.data : schema.parse({})) as Read<S>;
  }, [key, schema]);
  const set = useCallback(
    (change: Partial<Written<S>>, how: { push?: boolean } = {}) => {
      const next = (before: Record<string, unknown>) => withoutEmpty({ ...before, ...change });
      void navigate({ to: ".", search: next as never, replace: !how.push });
    },
    [navigate],
  );
  return [state, set] as const;
}

function withoutEmpty(search: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && value !== "" && value !== null));
}
