import { expect, it } from "vitest";
import { inWords } from "./audit";

it.each([
  ["role viewer to owner", "role viewer to owner"],
  ['{"accepts":true,"max_uses":24,"site":""}', "accepts true, max uses 24"],
  ['{"channel":"stable","nodes":["a","b"],"at":null}', 'channel stable, nodes ["a","b"]'],
  ["{not an object", "{not an object"],
  ["", ""],
])("reads %j out", (detail, said) => {
  expect(inWords(detail)).toBe(said);
});
