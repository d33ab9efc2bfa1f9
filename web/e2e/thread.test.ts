import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { Machine } from "./edge-fleet";
import { password, Repository, Server } from "./server";

const server = new Server();
let browser: Browser;

beforeAll(async () => {
  [browser] = await Promise.all([openBrowser(), server.start()]);
  mkdirSync(server.repositories, { recursive: true });
});

afterAll(async () => {
  await browser?.close();
  await server.close();
});

const hex = () => randomUUID().replaceAll("-", "");

/** A commit that is built and released, runs on a node and breaks there; and a job that fails. */
async function world(token: string) {
  const call = <T>(method: string, path: string, body?: unknown) => server.api<T>(token, method, path, body);
  const repository = new Repository(server.repositories, "shop");
  const sha = repository.push("shop: sell more", { README: "shop\n" });
  const pipeline = async (name: string, yaml: string) => {
    const { pipeline } = await call<{ pipeline: { id: number } }>("PUT", "/api/v1/ci/pipelines/config", { team: "main", name, yaml });
    await call("POST", `/api/v1/ci/pipelines/${pipeline.id}/unpause`);
  };
  await pipeline("shop", `resources: [{name: code, type: git, source: {uri: "file://${repository.bare}", branch: main}}]\njobs: [{name: unit, plan: [{get: code, trigger: true}]}]\n`);
  await pipeline("broken", `jobs: [{name: lint, plan: [{task: lint, config: {platform: linux, run: {path: sh, args: [-c, "echo error in line 12; exit 3"]}}}]}]\n`);
  const project = await call<{ id: number; slug: string }>("POST", "/api/v1/issues/projects", { team: "main", name: "shop", platform: "python" });
  const { items } = await call<{ items: { id: string }[] }>("GET", `/api/v1/issues/projects/${project.id}/keys`);
  const commits = [{ id: sha, repository: "acme/shop", author_name: "Ann", message: "shop: sell more" }];
  await call("POST", "/api/0/organizations/main/releases/", { version: "shop@2.4.0", projects: ["shop"], commits: [] });
  await call("POST", "/api/0/organizations/main/releases/", { version: "shop@2.4.1", projects: ["shop"], commits });
  await call("PUT", "/api/v1/accounts/teams/main/services/shop", { description: "sells", owners: ["admin"], repository: "acme/shop", pipeline: "shop", job: "", project: "shop", log_filter: "service:shop", package: "shop" });
  const { token: join } = await call<{ token: string }>("POST", "/api/v1/edge/tokens", { team: "main", name: "fleet", accepts: true });
  const machine = await new Machine(server, "edge-07").enrol(join, "debian", "osl");
  await machine.inventory([{ name: "shop", version: "2.4.1-1", arch: "amd64" }], "debian");
  const [event, trace] = [hex(), hex()];
  const error = { event_id: event, message: "out of stock", level: "error", platform: "python", release: "shop@2.4.1", server_name: "edge-07", user: { id: "7" }, contexts: { trace: { trace_id: trace, span_id: "a".repeat(16) } } };
  await fetch(`${server.url}/api/${project.id}/envelope/?sentry_key=${items[0]?.id}`, { method: "POST", body: [{ event_id: event }, { type: "event" }, error].map((line) => JSON.stringify(line)).join("\n") });
  const line = { time: new Date().toISOString(), service: "shop", level: "error", trace_id: trace, msg: "the shelf is empty" };
  await fetch(`${server.url}/insert/jsonline?_stream_fields=service`, { method: "POST", headers: { authorization: `Bearer ${token}`, "x-scope-orgid": "main" }, body: `${JSON.stringify(line)}\n` });
  for (const number of ["1", "2"]) {
    await call("POST", "/api/v1/teams/main/pipelines/broken/jobs/lint/builds");
    await expect.poll(async () => (await call<{ status: string }>("GET", `/api/v1/teams/main/pipelines/broken/jobs/lint/builds/${number}`)).status, { timeout: 60_000 }).toBe("failed");
  }
  await expect.poll(async () => (await call<{ issues: unknown[] }>("GET", "/api/v1/issues/issues?team=main")).issues.length, { timeout: 60_000 }).toBe(1);
  const built = async () => (await call<{ builds: unknown[]; lines?: { total: number } }>("GET", `/api/v1/accounts/teams/main/threads/events/${event}`));
  await expect.poll(async () => (await built()).builds.length + ((await built()).lines?.total ?? 0), { timeout: 60_000 }).toBe(2);
  return { sha };
}

it("walks from an error to its commit, build, release, lines and node, and from a failed build to the one before", { timeout: 180_000 }, async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "e2e", "--scopes", "*");
  const { sha } = await world(token);
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);

  // The error says where it comes from.
  await open(page, "/teams/main/issues/1");
  const thread = page.getByRole("region", { name: "Thread" });
  await thread.getByText("shop: sell more").waitFor();
  await thread.getByText("the shelf is empty").waitFor();
  await thread.getByText("this release").waitFor();
  await expectAccessible(page);
  const lines = await thread.getByRole("link", { name: "1 line" }).getAttribute("href");
  expect(lines).toMatch(/from=20.*q=trace_id.*to=20/);
  await thread.getByRole("link", { name: "shop/unit #1" }).click();
  await page.getByRole("heading", { level: 1, name: /unit/ }).waitFor();
  await page.goBack();

  // Its release: is it healthy, where does it run.
  await thread.getByRole("link", { name: "shop@2.4.1" }).click();
  await page.getByRole("region", { name: "Is it healthy" }).getByRole("row", { name: /Users affected 1 0 worse/ }).waitFor();
  await thread.getByText("1 of 1 node with shop runs it.").waitFor();
  await expectAccessible(page);

  // The node that runs it, with the same error.
  await thread.getByRole("link", { name: "edge-07" }).click();
  await page.getByRole("heading", { level: 1, name: "edge-07" }).waitFor();
  await page.getByRole("region", { name: "Thread" }).getByRole("link", { name: "out of stock" }).waitFor();
  await expectAccessible(page);

  // What is called so is found by its commit, too.
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill(sha.slice(0, 8));
  await page.getByRole("option", { name: /shop\/unit #1/ }).waitFor();
  await page.keyboard.press("Escape");

  // A failed build: the same failure before, and whom to ask.
  await open(page, "/teams/main/pipelines/broken/jobs/lint/builds/2");
  const before = page.getByRole("region", { name: "The same failure before" });
  await before.getByRole("link", { name: "broken/lint #1" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Ask the assistant" }).click();
  await expect.poll(() => page.getByRole("textbox", { name: "Ask about main" }).inputValue()).toBe("Why did this build fail?");
  await page.getByText("about build broken / lint #2").waitFor();
  await page.keyboard.press("Escape");

  // What happened, between two instants.
  await open(page, "/teams/main/timeline?service=shop");
  await page.getByRole("link", { name: /New error: out of stock/ }).waitFor();
  await expectAccessible(page);
  await page.keyboard.press("j");
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent ?? "")).not.toBe("");
  await open(page, "/teams/main/timeline?from=2020-01-01T14:00:00Z&to=2020-01-01T15:00:00Z");
  await page.getByText("Nothing happened then").waitFor();
  expect(errors).toEqual([]);
});
