import { catch as otherwise, _default as byDefault, coerce, config, enum as among, int, maxLength, minimum, object, optional, record, string, unknown } from "zod/mini";

// Compiled validators need eval, which the content security policy refuses; asking for it alone is reported.
config({ jitless: true });

// The small form of zod: its large one would be a tenth of every first page. What an address says is read with few words,
// and a value that is none of them counts as not given.

/** The query of an address: what each of its names may say. */
export const params = object;

/** Any text. */
export const text = (longest?: number) => otherwise(optional(longest === undefined ? coerce.string() : coerce.string().check(maxLength(longest))), undefined);

/** A whole number from 1 on: ids and places in lists. */
export const number = () => otherwise(optional(coerce.number().check(int(), minimum(1))), undefined);

/** A whole number from 0 on, with what it is when not given. */
export const numberOr = (usual: number) => otherwise(byDefault(coerce.number().check(int(), minimum(0)), usual), usual);

/** Said or not. */
export const flag = () => otherwise(optional(coerce.boolean()), undefined);

/** One of a few words. */
export const oneOf = <const T extends [string, ...string[]]>(words: T) => otherwise(optional(among(words)), undefined);

/** One of a few words, with the usual one. */
export const oneOfOr = <const T extends [string, ...string[]]>(words: T, usual: T[number]) => otherwise(byDefault(among(words), usual as never), usual as never);

/** Names and values of any kind. */
export const values = () => otherwise(optional(record(string(), unknown())), undefined);

export { extend } from "zod/mini";
export type { input as Written, output as Read, ZodMiniType } from "zod/mini";
