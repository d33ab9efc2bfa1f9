import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

export type MaskingRules = components["schemas"]["LogMaskingRules"];
export type Masking = components["schemas"]["LogMasking"];
export type MaskedLine = components["schemas"]["LogMaskingPreview"]["lines"][number];

export const maskingQuery = (team: string) =>
  queryOptions({
    queryKey: ["logs", "masking", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/logs/masking", { params: { query: { team } }, signal })),
  });

/** What rules make of lines; without lines, of the newest that the team has. */
export const maskingPreviewQuery = (team: string, rules: MaskingRules, lines: string[]) =>
  queryOptions({
    queryKey: ["logs", "masking-preview", team, rules, lines],
    queryFn: ({ signal }) => data(api.POST("/api/v1/logs/masking/preview", { body: { team, rules, ...(lines.length > 0 ? { lines } : {}) }, signal })),
    retry: false,
    staleTime: 30_000,
  });
