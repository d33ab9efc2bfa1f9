import { expect, it } from "vitest";
import { inWords } from "./secretUse";

it.each([
  [{ pipeline: "web", job: "deploy", number: "12", build: 40 }, "web / deploy #12"],
  [{ pipeline: "web", build: 40 }, "web, build 40"],
  [{ pipeline: "web" }, "a check of web"],
])("%j is %s", (use, words) => expect(inWords(use)).toBe(words));
