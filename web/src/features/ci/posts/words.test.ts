import { expect, it } from "vitest";
import { postsSearch } from "./search";
import { standing } from "./words";

it.each([
  [{ state: "waiting", attempts: 0, error: "" }, "pending", "waits for its first attempt"],
  [{ state: "retrying", attempts: 2, error: "GitHub answers 502" }, "errored", "tried 2 times: GitHub answers 502"],
  [{ state: "posted", attempts: 1, error: "" }, "succeeded", "shown at GitHub"],
  [{ state: "failed", attempts: 28, error: "" }, "failed", "given up after 28 attempts"],
] as const)("%j", (post, status, word) => expect(standing(post)).toEqual({ status, word }));

it("reads the address as far as it is valid", () => expect(postsSearch.parse({ state: "failed", kind: "letter" })).toEqual({ state: "failed" }));
