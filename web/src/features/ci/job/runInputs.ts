import type { RunInput, RunValue } from "../queries";

/** What the form holds: text, or whether a box is ticked. */
export type Values = Record<string, string | boolean>;

/** What the form begins with: the values of an earlier build where given, else the defaults. Secrets begin empty. */
export function startValues(inputs: RunInput[], like: RunValue[] = []): Values {
  const before = new Map(like.map(({ name, value }) => [name, value]));
  return Object.fromEntries(inputs.map((input) => [input.name, startValue(input, before.get(input.name) ?? input.default)]));
}

function startValue({ type, options, required }: RunInput, value: unknown): string | boolean {
  if (type === "bool") return value === true || value === "true";
  if (type === "secret") return "";
  const text = typeof value === "string" ? value : value === null || value === undefined ? "" : JSON.stringify(value);
  if (type !== "choice") return text;
  return options.includes(text) ? text : required ? (options[0] ?? "") : "";
}

/** What is wrong with each value, before anything is sent; the server has the last word. */
export function mistakes(inputs: RunInput[], values: Values): Record<string, string> {
  const found: Record<string, string> = {};
  for (const input of inputs) {
    const said = mistake(input, values[input.name]);
    if (said) found[input.name] = said;
  }
  return found;
}

function mistake({ type, required, pattern, default: usual }: RunInput, value: string | boolean | undefined): string | undefined {
  if (type === "bool") return undefined;
  const text = String(value ?? "");
  if (text === "") return required && !(type === "secret" && usual !== null && usual !== undefined) ? "This is required." : undefined;
  if (pattern && matches(pattern, text) === false) return `It must match ${pattern}`;
  return undefined;
}

/** Undefined where the browser does not know the expression: then only the server tells. */
function matches(pattern: string, text: string): boolean | undefined {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return undefined;
  }
}

/** What is sent: without what was left empty, for which the server takes the default. */
export function given(inputs: RunInput[], values: Values): Values {
  return Object.fromEntries(inputs.flatMap(({ name }) => (values[name] === "" || values[name] === undefined ? [] : [[name, values[name]]])));
}
