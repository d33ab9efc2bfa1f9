import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type Asked, namesQuery, valuesQuery } from "../queries";
import { history } from "./history";
import { quoted, typing } from "./terms";

export type Suggestion = { kind: "searched before" | "field" | "label" | "value" | "pipe"; label: string; insert: string; start: number; lines?: number; whole?: boolean };

const pipes = ["stats count() by ()", "stats p95() by ()", "top 10 ", "sort by ", "limit 100", "fields ", "dedup ", "pattern", "where "];
const most = 12;

/** What could stand where the caret is: fields of these lines, values of a field with their counts, pipes, earlier searches. */
export function useSuggestions(asked: Asked, text: string, caret: number, open: boolean): Suggestion[] {
  const at = typing(text, caret);
  // All lines of the range, whatever the search: it is being changed.
  const all: Asked = { ...asked, query: "" };
  const names = useQuery({ ...namesQuery(all), enabled: open });
  const values = useQuery({ ...valuesQuery(all, at.field ? [at.field] : [], 50), enabled: open && Boolean(at.field), placeholderData: keepPreviousData });
  const before = useMemo(() => (open ? history(asked.team) : []), [open, asked.team]);
  if (!open) return [];
  if (at.field) return valuesOf(values.data?.facets[0], at.field, at.word, at.start);
  const known = names.data?.names ?? [];
  const word = at.word.toLowerCase();
  const fields = known
    .filter(({ name }) => name.toLowerCase().includes(word) && name !== "_msg")
    .toSorted((a, b) => Number(b.name.toLowerCase().startsWith(word)) - Number(a.name.toLowerCase().startsWith(word)))
    .slice(0, most)
    .map(({ name, label, lines }): Suggestion => ({ kind: label ? "label" : "field", label: at.pipe ? name : `${name}:`, insert: at.pipe ? name : `${name}:`, start: at.start, lines }));
  if (at.pipe) {
    const begun = /\|\s*$/.test(text.slice(0, at.start));
    return [...(begun ? pipes.filter((pipe) => pipe.startsWith(word)).map((pipe): Suggestion => ({ kind: "pipe", label: pipe, insert: pipe, start: at.start })) : []), ...(begun ? [] : fields)];
  }
  const said = text.trim().toLowerCase();
  const searches = before
    .filter((query) => query !== text && query.toLowerCase().includes(said))
    .slice(0, said ? 3 : 6)
    .map((query): Suggestion => ({ kind: "searched before", label: query, insert: query, start: 0, whole: true }));
  return [...searches, ...(said === "" || word ? fields : [])].slice(0, most);
}

function valuesOf(facet: { name: string; values: { value: string; lines: number }[] } | undefined, field: string, word: string, start: number): Suggestion[] {
  if (facet?.name !== field) return [];
  return facet.values
    .filter(({ value }) => value.toLowerCase().includes(word.toLowerCase()))
    .slice(0, most)
    .map(({ value, lines }) => ({ kind: "value", label: value, insert: `${field}:${quoted(value)} `, start, lines }));
}
