import type { Version } from "../queries";

/** The line of the metadata worth a row: the first line of a commit's message and who wrote it, else the first field. */
export function headline({ metadata }: Pick<Version, "metadata">): string {
  const value = (name: string) => metadata.find((field) => field.name === name)?.value;
  const message = value("message")?.split("\n")[0];
  if (message) return [message, value("author")].filter(Boolean).join(" · ");
  const [first] = metadata;
  return first ? `${first.name}: ${first.value}` : "";
}
