import { headline } from "../resource/headline";
import type { BuildInput } from "../queries";

/** What was committed and by whom: of the input that is new, else of the first that tells. Empty where no input has a message. */
export function commitWords(inputs: Pick<BuildInput, "first" | "metadata">[]): string {
  const telling = inputs.filter(({ metadata }) => metadata.some(({ name, value }) => name === "message" && value.trim() !== ""));
  const one = telling.find(({ first }) => first) ?? telling[0];
  return one ? headline(one) : "";
}
