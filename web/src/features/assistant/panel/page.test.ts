import { expect, it } from "vitest";
import { pageWord } from "../words";
import { pageAt } from "./page";

it.each([
  ["/teams/main/pipelines/web/jobs/unit%20tests/builds/42", {}, "42", { kind: "build", name: "web", job: "unit tests", id: "42" }, "build web / unit tests #42"],
  ["/builds/7", {}, "", { kind: "build", id: "7" }, "build 7"],
  ["/teams/main/pipelines/web/edit", {}, "", { kind: "pipeline", name: "web" }, "pipeline web"],
  ["/teams/main/issues/12/events/latest", {}, "SHOP-7 TypeError", { kind: "issue", id: "12", name: "SHOP-7 TypeError" }, "issue SHOP-7 TypeError"],
  ["/teams/main/edge/nodes/abc", {}, "edge-07", { kind: "node", id: "abc", name: "edge-07" }, "node edge-07"],
  ["/teams/main/logs", { q: "service:payments" }, "Logs", { kind: "logs", query: "service:payments" }, "logs: service:payments"],
  ["/teams/main/logs", {}, "Logs", { kind: "logs", query: "" }, "logs: everything"],
  ["/teams/main/logs/alerts", {}, "", undefined, ""],
  ["/teams/main/issues", {}, "", undefined, ""],
  ["/account", {}, "", undefined, ""],
])("knows what %s shows", (path, search, title, want, word) => {
  const page = pageAt(path, search, title);
  expect(page).toEqual(want);
  expect(page ? pageWord(page) : "").toBe(word);
});
