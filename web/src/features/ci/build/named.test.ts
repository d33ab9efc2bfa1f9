import { expect, it } from "vitest";
import { isNext } from "./named";

it.each([
  ["1", undefined, true],
  ["8", "7", true],
  ["9", "7", true],
  ["8", "7.2", true],
  ["7", "7.2", false],
  ["3", "7", false],
  ["0", undefined, false],
  ["7.3", "7.2", false],
  ["latest", "7", false],
])("build %s after %s can come: %s", (name, newest, can) => expect(isNext(name, newest)).toBe(can));
