import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type Line = components["schemas"]["LogLine"];
export type Level = Line["level"];
export type Found = components["schemas"]["LogFound"];
export type Histogram = components["schemas"]["LogHistogram"];
export type Name = components["schemas"]["LogNames"]["names"][number];
export type Facet = components["schemas"]["LogFacet"];
export type FieldNumbers = NonNullable<components["schemas"]["LogField"]["numbers"]>;
export type Pattern = components["schemas"]["LogPatterns"]["patterns"][number];

/** What is asked, with the instants that a relative range meant when it was asked. */
export type Asked = { team: string; query: string; from: string; to: string };

/** How many lines one request brings. */
export const pageLines = 200;

// What was found in a range that is over does not change while somebody looks at it.
const kept = { staleTime: 5 * 60_000, retry: false } as const;

/** A name that no line has comes without a list of values. */
const whole = <F extends Facet>(facet: F): F => ({ ...facet, values: (facet.values as Facet["values"] | null) ?? [] });

export const searchQuery = (asked: Asked, oldest: boolean) =>
  infiniteQueryOptions({
    queryKey: ["logs", "search", asked, oldest],
    queryFn: ({ signal, pageParam }) => data(api.POST("/api/v1/logs/search", { body: { ...asked, oldest, limit: pageLines, after: pageParam || undefined }, signal })),
    initialPageParam: "",
    getNextPageParam: (page: Found) => (page.columns || page.lines.length < pageLines ? undefined : page.lines.at(-1)?.id),
    ...kept,
  });

export const histogramQuery = (asked: Asked, bars = 120) =>
  queryOptions({
    queryKey: ["logs", "histogram", asked, bars],
    queryFn: ({ signal }) => data(api.POST("/api/v1/logs/histogram", { body: { ...asked, bars }, signal })),
    ...kept,
  });

export const namesQuery = (asked: Asked) =>
  queryOptions({
    queryKey: ["logs", "names", asked],
    queryFn: ({ signal }) => data(api.POST("/api/v1/logs/names", { body: asked, signal })),
    ...kept,
  });

export const valuesQuery = (asked: Asked, names: string[], top: number) =>
  queryOptions({
    queryKey: ["logs", "values", asked, names, top],
    queryFn: async ({ signal }) => {
      const { facets, stats } = await data(api.POST("/api/v1/logs/values", { body: { ...asked, names, top }, signal }));
      return { facets: facets.map(whole), stats };
    },
    enabled: names.length > 0,
    ...kept,
  });

export const fieldQuery = (asked: Asked, name: string) =>
  queryOptions({
    queryKey: ["logs", "field", asked, name],
    queryFn: async ({ signal }) => whole(await data(api.POST("/api/v1/logs/field", { body: { ...asked, name }, signal }))),
    ...kept,
  });

/** Further percentiles of a field with numbers. What comes behind a pipe has no fields of lines, so the search must have none. */
export const percentilesQuery = (asked: Asked, name: string, filter: string, shares: readonly string[]) =>
  queryOptions({
    queryKey: ["logs", "percentiles", asked, name],
    queryFn: async ({ signal }) => {
      const query = `${filter} | stats ${shares.map((share) => `${share}(${name}) as ${share}`).join(", ")}`.trim();
      const { rows } = await data(api.POST("/api/v1/logs/search", { body: { ...asked, query }, signal }));
      return Object.fromEntries(shares.map((share, at) => [share, Number(rows?.[0]?.[at])]));
    },
    ...kept,
  });

export const patternsQuery = (asked: Asked) =>
  queryOptions({
    queryKey: ["logs", "patterns", asked],
    queryFn: ({ signal }) => data(api.POST("/api/v1/logs/patterns", { body: { ...asked, bars: 30 }, signal })),
    ...kept,
  });

export const aroundQuery = (team: string, id: string, before: number, after: number) =>
  queryOptions({
    queryKey: ["logs", "around", team, id, before, after],
    queryFn: ({ signal }) => data(api.GET("/api/v1/logs/around", { params: { query: { team, id, before, after } }, signal })),
    ...kept,
  });
