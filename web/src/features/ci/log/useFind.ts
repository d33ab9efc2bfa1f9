import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { asProblem } from "@/api/problem";
import type { BuildSearch } from "../build/search";
import { logFindQuery } from "../queries";
import { findPattern } from "./text";

export const listed = 1000;

export type Find = {
  pattern: RegExp | null;
  /** Lines that match, in order; the first thousand. */
  lines: number[];
  /** How many lines match in the whole log. */
  total: number;
  more: boolean;
  busy: boolean;
  error?: string;
  /** Which match is looked at, from 0; -1 for none. */
  at: number;
};

/** Searches the whole log on the server. While the build runs the count is renewed every few seconds. */
export function useFind(id: number, { q = "", regex = false, match }: BuildSearch, running: boolean): Find {
  const found = useQuery({
    ...logFindQuery(id, { q, regex: regex || undefined, limit: listed }),
    enabled: q !== "",
    placeholderData: keepPreviousData,
    refetchInterval: running ? 4000 : false,
    retry: false,
  });
  const pattern = useMemo(() => findPattern(q, regex), [q, regex]);
  const matches = q === "" || found.error ? undefined : found.data;
  const lines = useMemo(() => matches?.matches.map((one) => one.n) ?? [], [matches]);
  return {
    pattern,
    lines,
    total: matches?.total ?? 0,
    more: matches?.more ?? false,
    busy: found.isFetching,
    error: q !== "" && found.error ? asProblem(found.error).message : undefined,
    at: lines.length === 0 ? -1 : Math.min(lines.length, match ?? 1) - 1,
  };
}

/** The match to go to first: the next one below what is on the screen, else the first of all. */
export function nearest(lines: number[], top: number): number {
  const below = lines.findIndex((line) => line >= top);
  return below < 0 ? 0 : below;
}
