import { expect, it } from "vitest";
import { endpoints, guides } from "./guides";
import { addressOf, withToken } from "./target";

it("takes an address apart", () => {
  expect(addressOf("https://box.example/portal/")).toEqual({ host: "box.example", port: "443", tls: true, path: "/portal" });
  expect(addressOf("http://10.0.0.1:8080")).toEqual({ host: "10.0.0.1", port: "8080", tls: false, path: "" });
});

it("puts a token into an address, with the port", () => {
  expect(withToken({ url: "https://box.example/portal", token: "sbx_1", team: "main" })).toBe("https://signalbox:sbx_1@box.example:443/portal");
  expect(withToken({ url: "http://10.0.0.1:8080", token: "sbx_1", team: "main" })).toBe("http://signalbox:sbx_1@10.0.0.1:8080");
});

const to = { url: "https://box.example", token: "sbx_secret", team: "acme" };

it.each(guides.map((guide) => [guide.id, guide] as const))("%s names the address, and the token or whose lines they are", (_, guide) => {
  const code = guide
    .blocks(to)
    .map((block) => block.code)
    .join("\n");
  expect(code).toContain("box.example");
  expect(code).toMatch(/sbx_secret|_team: acme/);
  expect(code).not.toContain("undefined");
});

it("knows each guide by a word of its own", () => expect(new Set(guides.map(({ id }) => id)).size).toBe(guides.length));

it("says which key opens a port that is closed at first", () => {
  const closed = endpoints("https://box.example:8443").filter(({ key }) => key);
  expect(closed.map(({ path }) => path)).toEqual(["box.example:4317", "box.example:514", "box.example:6514", "box.example:24224"]);
});
