import { expect, it } from "vitest";
import { addressOf, guides } from "./guides";

it("takes an address apart", () => {
  expect(addressOf("https://box.example/portal/")).toEqual({ host: "box.example", port: "443", tls: true, path: "/portal" });
  expect(addressOf("http://10.0.0.1:8080")).toEqual({ host: "10.0.0.1", port: "8080", tls: false, path: "" });
});

it.each(guides.map((guide) => [guide.id, guide] as const))("%s names the address and the token", (_, guide) => {
  const code = guide.code({ url: "https://box.example", token: "sbx_secret" });
  expect(code).toContain("box.example");
  expect(code).toContain("sbx_secret");
});
