import { expect, it } from "vitest";
import type { ReleaseItem } from "./queries";
import { artifactName, commitUrl, fileUrl, healthStatus, message, neighbours, percent, releasedAt, repositoryUrl } from "./words";

it.each([
  [1, 2, "100 %"],
  [0.99999, 2, "99.99 %"],
  [0.9876, 2, "98.76 %"],
  [0, 0, "0 %"],
  [0.001, 0, "< 1 %"],
  [0.999, 0, "99 %"],
  [0.416, 0, "42 %"],
  [null, 0, undefined],
])("%d with %d digits is %s", (share, digits, said) => expect(percent(share, digits)).toBe(said));

it.each([
  [1, "succeeded"],
  [0.99, "errored"],
  [0.9, "failed"],
  [undefined, undefined],
])("%s of sessions without a crash are %s", (share, status) => expect(healthStatus(share)).toBe(status));

it("shows a release among those around it", () => {
  const all = Array.from({ length: 20 }, (_, at) => ({ id: 20 - at }) as ReleaseItem);
  const ids = (id: number) => neighbours(all, id, 5).map((one) => one.id);
  expect(ids(20)).toEqual([20, 19, 18, 17, 16]);
  expect(ids(10)).toEqual([12, 11, 10, 9, 8]);
  expect(ids(1)).toEqual([5, 4, 3, 2, 1]);
  expect(ids(99)).toEqual([20, 19, 18, 17, 16]);
});

it("believes who says when it was released", () => {
  expect(releasedAt({ released_at: "2026-04-17T12:00:00Z", created_at: "2026-04-16T12:00:00Z" })).toBe("2026-04-17T12:00:00Z");
  expect(releasedAt({ created_at: "2026-04-16T12:00:00Z" })).toBe("2026-04-16T12:00:00Z");
});

it("cuts a message after its first line", () => {
  expect(message("Guard empty search\n\nWhy.\n")).toEqual({ subject: "Guard empty search", rest: "Why." });
  expect(message("")).toEqual({ subject: "", rest: "" });
});

it.each([
  ["acme/shop", "https://github.com/acme/shop"],
  ["git@ghe.example.com:acme/shop.git", "https://ghe.example.com/acme/shop"],
  ["https://gitlab.example.com/acme/shop", "https://gitlab.example.com/acme/shop"],
  ["shop", undefined],
  ["", undefined],
  ["javascript:alert(1)", undefined],
])("%s is at %s", (repository, url) => expect(repositoryUrl(repository)).toBe(url));

it("leads to a commit and to a line at it, and nowhere for libraries", () => {
  const sha = "e04d118e04d118";
  expect(commitUrl("acme/shop", sha)).toBe(`https://github.com/acme/shop/commit/${sha}`);
  expect(commitUrl("acme/shop", "not a sha")).toBeUndefined();
  expect(fileUrl("acme/shop", sha, "./src/a b.js", 42)).toBe(`https://github.com/acme/shop/blob/${sha}/src/a%20b.js#L42`);
  expect(fileUrl("acme/shop", sha, "node:internal/run")).toBeUndefined();
  expect(fileUrl("acme/shop", sha, "/app/node_modules/x.js")).toBeUndefined();
  expect(fileUrl("acme/shop", sha, "../x.js")).toBeUndefined();
});

it("names an artifact", () => {
  const artifact = { id: 1, checksum: "0123456789abcdef", dist: "", files: 2, size: 9, created_at: "" };
  expect(artifactName(artifact)).toBe("0123456789ab");
  expect(artifactName({ ...artifact, dist: "web" })).toBe("0123456789ab for web");
});
