import type { Pipeline } from "../queries";

/** The names of a team's pipelines in its order; instances share one. */
export function namesInOrder(pipelines: Pipeline[]): string[] {
  return [...new Set(pipelines.map(({ name }) => name))];
}

/** The names with one of them at another place, counted from 0; places beyond the ends are the ends. */
export function moved(names: string[], name: string, to: number): string[] {
  const rest = names.filter((one) => one !== name);
  const at = Math.max(0, Math.min(rest.length, to));
  return [...rest.slice(0, at), name, ...rest.slice(at)];
}

/** The pipelines as that order puts them; instances keep theirs, and what it does not name follows. */
export function inOrder<P extends Pick<Pipeline, "name">>(pipelines: P[], names: string[]): P[] {
  const place = new Map(names.map((name, at) => [name, at]));
  const of = ({ name }: P) => place.get(name) ?? names.length;
  return pipelines.toSorted((a, b) => of(a) - of(b));
}
